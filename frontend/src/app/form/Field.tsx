/** One field of a payload, made of its schema. */
import { useId, useState } from "react";
import { nameInWords } from "../lore";
import { kindOf, resolved, type Schema, startOf } from "./schema";

export interface FieldProps {
  name: string;
  schema: Schema;
  root: Schema;
  isRequired: boolean;
  value: unknown;
  /** JSON pointer of this field → what is wrong with it. */
  errors: ReadonlyMap<string, string>;
  pointer: string;
  onChange: (value: unknown) => void;
}

export function Field(props: FieldProps) {
  const { schema, isNullable } = resolved(props.schema, props.root);
  if (schema.const !== undefined) return null;
  if (kindOf(schema) === "group")
    return <Group {...props} schema={schema} isOptional={isNullable || !props.isRequired} />;
  return <Simple {...props} schema={schema} />;
}

function Group({ isOptional, ...props }: FieldProps & { isOptional: boolean }) {
  const { name, schema, root, value, errors, pointer, onChange } = props;
  const isGiven = value !== null && value !== undefined;
  const parts = Object.entries(schema.properties ?? {});
  const fields = value as Record<string, unknown> | undefined;
  return (
    <fieldset className="field-group">
      <legend>
        {isOptional ? (
          <label>
            <input
              type="checkbox"
              checked={isGiven}
              onChange={({ target }) =>
                onChange(
                  target.checked ? (startOf({ ...schema, default: undefined }, root) ?? {}) : undefined,
                )
              }
            />{" "}
            {nameInWords(name)}
          </label>
        ) : (
          nameInWords(name)
        )}
      </legend>
      {isGiven &&
        parts.map(([part, its]) => (
          <Field
            key={part}
            name={part}
            schema={its}
            root={root}
            isRequired={schema.required?.includes(part) ?? false}
            value={fields?.[part]}
            errors={errors}
            pointer={`${pointer}/${part}`}
            onChange={(next) => onChange({ ...fields, [part]: next })}
          />
        ))}
    </fieldset>
  );
}

function Simple({ name, schema, isRequired, value, errors, pointer, onChange }: FieldProps) {
  const id = useId();
  const problem = errors.get(pointer);
  const hint = [schema.description, boundsInWords(schema)].filter(Boolean).join(" · ");
  return (
    <div className="field" data-wrong={problem !== undefined}>
      <label htmlFor={id}>
        {nameInWords(name)}
        {isRequired && <span aria-hidden="true"> *</span>}
      </label>
      <Input
        id={id}
        schema={schema}
        value={value}
        isRequired={isRequired}
        hintId={`${id}-hint`}
        onChange={onChange}
      />
      <p id={`${id}-hint`} className={problem ? "ls-error" : "hint"}>
        {problem ?? hint}
      </p>
    </div>
  );
}

interface InputProps {
  id: string;
  hintId: string;
  schema: Schema;
  isRequired: boolean;
  value: unknown;
  onChange: (value: unknown) => void;
}

function Input({ id, hintId, schema, isRequired, value, onChange }: InputProps) {
  const same = { id, "aria-describedby": hintId, required: isRequired };
  const text = value === undefined || value === null ? "" : textOf(value);
  const give = (next: string) => onChange(next === "" && !isRequired ? undefined : next);
  switch (kindOf(schema)) {
    case "choice":
      return (
        <select {...same} value={text} onChange={({ target }) => give(target.value)}>
          {!isRequired && <option value="" />}
          {schema.enum?.map((each) => (
            <option key={String(each)}>{String(each)}</option>
          ))}
        </select>
      );
    case "switch":
      return (
        <input
          {...same}
          required={false}
          type="checkbox"
          checked={value === true}
          onChange={({ target }) => onChange(target.checked)}
        />
      );
    case "number":
      return (
        <input
          {...same}
          type="number"
          min={schema.minimum}
          max={schema.maximum}
          step={schema.type === "integer" ? 1 : "any"}
          value={text}
          onChange={({ target }) => onChange(target.value === "" ? undefined : Number(target.value))}
        />
      );
    case "lines":
      return (
        <textarea
          {...same}
          rows={3}
          placeholder="one per line"
          value={((value ?? []) as string[]).join("\n")}
          onChange={({ target }) => onChange(target.value === "" ? undefined : target.value.split("\n"))}
        />
      );
    case "long":
      return (
        <textarea
          {...same}
          rows={3}
          maxLength={schema.maxLength}
          value={text}
          onChange={({ target }) => give(target.value)}
        />
      );
    case "text":
      return (
        <>
          <input
            {...same}
            type="text"
            maxLength={schema.maxLength}
            list={schema.examples ? `${id}-known` : undefined}
            value={text}
            onChange={({ target }) => give(target.value)}
          />
          {schema.examples && (
            <datalist id={`${id}-known`}>
              {schema.examples.map((each) => (
                <option key={String(each)} value={String(each)} />
              ))}
            </datalist>
          )}
        </>
      );
    default:
      return <Json {...same} value={value} onChange={onChange} />;
  }
}

function Json({
  value,
  onChange,
  ...same
}: {
  id: string;
  value: unknown;
  onChange: (value: unknown) => void;
}) {
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value, null, 2));
  const [isWrong, setWrong] = useState(false);
  const take = (next: string) => {
    setText(next);
    try {
      onChange(next.trim() === "" ? undefined : JSON.parse(next));
      setWrong(false);
    } catch {
      setWrong(true);
    }
  };
  return (
    <textarea
      {...same}
      rows={4}
      className="code"
      placeholder="JSON"
      aria-invalid={isWrong}
      value={text}
      onChange={({ target }) => take(target.value)}
    />
  );
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function boundsInWords({ minimum, maximum, maxLength }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  return maxLength === undefined ? "" : `up to ${maxLength} characters`;
}
