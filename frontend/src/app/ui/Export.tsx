/** What was made, to take along: copied, or as a file. */
import { asJson } from "../markdown";
import { toast } from "./Toasts";

export interface ExportProps {
  name: string;
  markdown: () => string;
  json: () => unknown;
}

export function Export({ name, markdown, json }: ExportProps) {
  const file =
    name
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
      .replaceAll(/^-|-$/g, "") || "lore";
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(markdown());
      toast("Copied");
    } catch {
      toast("The browser would not copy it; the Markdown file has the same");
    }
  };
  return (
    <div className="export" role="group" aria-label={`Take ${name} along`}>
      <button type="button" className="quiet" onClick={() => void copy()}>
        Copy
      </button>
      <button type="button" className="quiet" onClick={() => save(`${file}.md`, "text/markdown", markdown())}>
        Markdown
      </button>
      <button
        type="button"
        className="quiet"
        onClick={() => save(`${file}.json`, "application/json", asJson(json()))}
      >
        JSON
      </button>
    </div>
  );
}

function save(name: string, type: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}
