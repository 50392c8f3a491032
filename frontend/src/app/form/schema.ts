/** JSON schemas of payloads, as far as a form must understand them; what it does not is written as JSON. */

export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  examples?: unknown[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

export type FieldKind = "text" | "long" | "number" | "switch" | "choice" | "lines" | "group" | "json";

/** Return the schema with references followed and `null` taken out; `isNullable` tells whether it was there. */
export function resolved(schema: Schema, root: Schema): { schema: Schema; isNullable: boolean } {
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return resolved({ ...root.$defs?.[name], ...without(schema, "$ref") }, root);
  }
  if (schema.anyOf) {
    const options = schema.anyOf.filter(({ type }) => type !== "null");
    const isNullable = options.length < schema.anyOf.length;
    const own = without(schema, "anyOf");
    const first = options.find(({ type }) => type === "string") ?? options[0];
    return first
      ? { schema: { ...resolved(first, root).schema, ...own }, isNullable }
      : { schema: own, isNullable };
  }
  return { schema, isNullable: false };
}

const without = (schema: Schema, name: keyof Schema): Schema =>
  Object.fromEntries(Object.entries(schema).filter(([each]) => each !== name));

const LONG = 200;

export function kindOf(schema: Schema): FieldKind {
  if (schema.enum) return "choice";
  switch (schema.type) {
    case "string":
      return (schema.maxLength ?? 0) > LONG && !schema.examples ? "long" : "text";
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "switch";
    case "array":
      return schema.items?.type === "string" ? "lines" : "json";
    case "object":
      return schema.properties ? "group" : "json";
    default:
      return "json";
  }
}

/** Return what a form starts with: defaults, and what is required. */
export function startOf(schema: Schema, root: Schema): unknown {
  const { schema: plain } = resolved(schema, root);
  if (plain.default !== undefined) return plain.default;
  if (plain.const !== undefined) return plain.const;
  if (kindOf(plain) === "group")
    return Object.fromEntries(
      Object.entries(plain.properties ?? {})
        .filter(
          ([name, part]) =>
            plain.required?.includes(name) === true || resolved(part, root).schema.default !== undefined,
        )
        .map(([name, part]) => [name, startOf(part, root)]),
    );
  return plain.type === "string" ? "" : undefined;
}
