// A schedule as cron, with what it means in words beside it.
import { toString as inWords } from "cronstrue";
import { Input, Select } from "./controls";

export function wordsOf(cron: string | null | undefined): string {
  if (!cron) return "only by hand";
  try {
    return inWords(cron, { use24HourTimeFormat: true, verbose: false });
  } catch {
    return cron;
  }
}
export function isCron(text: string): boolean {
  if (/^@(hourly|daily|weekly|monthly|yearly)$/.test(text) || /^every /.test(text)) return true;
  try {
    inWords(text);
    return true;
  } catch {
    return false;
  }
}

const kPresets: [string, string][] = [
  ["", "Only by hand"],
  ["*/15 * * * *", "Every 15 minutes"],
  ["0 * * * *", "Every hour"],
  ["0 6 * * *", "Every day at 06:00"],
  ["0 6 * * 1", "Every Monday at 06:00"],
];

export function ScheduleInput({
  id,
  value,
  onChange,
  disabled,
}: {
  id: string;
  value: string;
  onChange: (value: string) => void;
  disabled?: boolean;
}) {
  const known = kPresets.some(([cron]) => cron === value);
  return (
    <div className="stack tight">
      <Select
        id={id}
        disabled={disabled}
        value={known ? value : "own"}
        onChange={(event) => onChange(event.target.value === "own" ? "30 6 * * *" : event.target.value)}
      >
        {kPresets.map(([cron, words]) => (
          <option key={cron} value={cron}>
            {words}
          </option>
        ))}
        <option value="own">Another time (cron)</option>
      </Select>
      {!known && (
        <>
          <Input
            aria-label="Schedule as cron"
            className="mono"
            value={value}
            readOnly={disabled}
            onChange={(event) => onChange(event.target.value)}
          />
          <p className={isCron(value) ? "field-help" : "field-error"}>
            {isCron(value)
              ? wordsOf(value)
              : "This is no cron expression: five fields are minute, hour, day, month, weekday."}
          </p>
        </>
      )}
    </div>
  );
}
