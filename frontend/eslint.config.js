import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const APP = {
  group: ["@/app", "@/app/*", "@/app/**", "**/app/*", "**/app/**"],
  message: "hooks and job components are a package of their own: they know nothing of the app",
};
const REACT = {
  group: ["react", "react-dom", "@tanstack/*", "@/components/*", "@/lib/queries/*"],
  message: "lib/jobs holds rules, without React and without the cache",
};

export default tseslint.config(
  { ignores: ["node_modules", "eslint.config.js", "src/lib/api/schema.ts", "test-results", "coverage"] },
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
  { files: ["src/**/*.tsx", "src/**/*.ts"], ...hooks.configs.flat["recommended-latest"] },
  { files: ["src/**/*.tsx"], ...a11y.flatConfigs.recommended },
  {
    files: ["src/lib/**", "src/components/**"],
    rules: { "no-restricted-imports": ["error", { patterns: [APP] }] },
  },
  { files: ["src/lib/jobs/**"], rules: { "no-restricted-imports": ["error", { patterns: [APP, REACT] }] } },
  {
    files: ["tests/**", "e2e/**", "*.ts"],
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-empty-function": "off",
    },
  },
);
