/** What kind of world it is to be: one that is known, or in one's own words. */
import { useJobTypes } from "../api";
import { themeInWords } from "../lore";

const LONGEST = 60;

export function ThemePicker({ theme, onPick }: { theme: string; onPick: (theme: string) => void }) {
  const known = useKnownThemes();
  const isOwn = !known.includes(theme);
  return (
    <fieldset className="themes">
      <legend>What kind of world?</legend>
      {known.map((each) => (
        <label key={each} className="theme">
          <input type="radio" name="theme" checked={theme === each} onChange={() => onPick(each)} />
          <span>{themeInWords(each)}</span>
        </label>
      ))}
      <label className="theme-own">
        <span>or in your own words</span>
        <input
          type="text"
          maxLength={LONGEST}
          placeholder="lighthouses at the end of time"
          value={isOwn ? theme : ""}
          onChange={({ target }) => onPick(target.value || (known[0] ?? ""))}
        />
      </label>
    </fieldset>
  );
}

function useKnownThemes(): string[] {
  const types = useJobTypes();
  const schema = types.data?.find(({ name }) => name === "generate_characters")?.payload_schema as
    { properties?: { theme?: { examples?: string[] } } } | undefined;
  return schema?.properties?.theme?.examples ?? ["fantasy"];
}
