import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const APP = {
  group: ["@/app", "@/app/*", "@/app/**", "**/app/*", "**/app/**"],
  message: "hooks and job components are a package of their own: they know nothing of the app",
};
const INSIDE = {
  group: ["@loresmith/react/*", "!@loresmith/react/styles.css", "**/packages/react/**"],
  message: "the app uses what the package exports",
};
const REACT = {
  group: ["react", "react-dom", "@tanstack/*", "../hooks/*", "../components/*", "../progress/*"],
  message: "the client runs without React and without the query cache",
};

export default tseslint.config(
  {
    ignores: [
      "**/node_modules",
      "**/dist",
      "eslint.config.js",
      "packages/react/src/schema.ts",
      "test-results",
      "coverage",
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "max-lines": ["error", { max: 300 }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
    },
  },
  {
    files: ["src/**/*.tsx", "src/**/*.ts", "packages/*/src/**/*.{ts,tsx}"],
    ...hooks.configs.flat["recommended-latest"],
  },
  { files: ["src/**/*.tsx", "packages/*/src/**/*.tsx"], ...a11y.flatConfigs.recommended },
  {
    files: ["packages/react/src/**"],
    rules: { "no-restricted-imports": ["error", { patterns: [APP] }] },
  },
  {
    files: ["packages/react/src/client/**", "packages/react/src/client.ts"],
    rules: { "no-restricted-imports": ["error", { patterns: [APP, REACT] }] },
  },
  { files: ["src/**"], rules: { "no-restricted-imports": ["error", { patterns: [INSIDE] }] } },
  {
    files: ["tests/**", "packages/*/tests/**", "e2e/**", "*.ts"],
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-empty-function": "off",
    },
  },
);
