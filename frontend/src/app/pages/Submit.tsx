/** Any job of any type: the form is made of what the server says of the type. */
import { ApiError, type JobType, typeInWords, useJobPolling } from "@loresmith/react";
import { type SubmitEvent, useState } from "react";
import { Link, useLocation } from "wouter";
import { userId } from "../access";
import { useJobTypes } from "../api";
import { Field } from "../form/Field";
import { type Schema, startOf } from "../form/schema";
import { jobPath, submitPath } from "../routes";
import { Broken, Empty, Loading } from "../ui/States";
import { useTitle } from "../ui/title";

export function SubmitPage({ type }: { type?: string }) {
  useTitle("New job");
  const { data: types, error, refetch } = useJobTypes();
  if (!types) return error ? <Broken error={error} onRetry={refetch} /> : <Loading what="the kinds of job" />;
  const chosen = types.find(({ name }) => name === (type ?? types[0]?.name));
  return (
    <div className="submit">
      <header className="page-head">
        <h1>New job</h1>
      </header>
      <nav aria-label="Kinds of job" className="kinds">
        {types.map(({ name, expected_seconds }) => (
          <Link key={name} href={submitPath(name)} className={name === chosen?.name ? "here" : ""}>
            {typeInWords(name)} <small>≈ {expected_seconds} s</small>
          </Link>
        ))}
      </nav>
      {chosen ? (
        <TypeForm key={`${chosen.name} ${JSON.stringify(chosen.payload_schema)}`} type={chosen} />
      ) : (
        <Empty isPart title="There is no such kind of job">
          {type}
        </Empty>
      )}
    </div>
  );
}

function TypeForm({ type }: { type: JobType }) {
  const schema = type.payload_schema as Schema;
  const [payload, setPayload] = useState(() => firstPayload(schema));
  const { submit, isSubmitting, submitError } = useJobPolling(undefined, undefined, {
    key: `form:${type.name}`,
  });
  const [, navigate] = useLocation();
  const errors = problemsOf(submitError);
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    const job = await submit({ type: type.name, payload }).catch(() => null);
    if (job) navigate(jobPath(job.id));
  };
  return (
    <form className="job-form" onSubmit={(event) => void send(event)}>
      <p>{type.description}.</p>
      {Object.entries(schema.properties ?? {}).map(([name, part]) => (
        <Field
          key={name}
          name={name}
          schema={part}
          root={schema}
          isRequired={schema.required?.includes(name) ?? false}
          value={payload[name]}
          errors={errors}
          pointer={`/payload/${name}`}
          onChange={(value) => setPayload({ ...payload, [name]: value })}
        />
      ))}
      {submitError && (
        <p className="ls-error" role="alert">
          {submitError.fields.length > 0 ? "Some of this is not right yet." : submitError.message}
        </p>
      )}
      <button type="submit" className="big" disabled={isSubmitting}>
        {isSubmitting ? "Submitting…" : "Submit"}
      </button>
    </form>
  );
}

function firstPayload(schema: Schema): Record<string, unknown> {
  const start = startOf(schema, schema) as Record<string, unknown>;
  return "user_id" in start ? { ...start, user_id: userId() } : start;
}

function problemsOf(error: ApiError | null): ReadonlyMap<string, string> {
  return new Map(error?.fields.map(({ pointer, detail }) => [pointer, detail]));
}
