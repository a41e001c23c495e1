// YAML of a file that is new. Files that exist are only edited by the server, which keeps their comments.

const kPlain = /^[A-Za-z_./][\w ./+-]*$/;
const kWords = /^(true|false|yes|no|on|off|null|~|y|n)$/i;

function scalar(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value) ?? "null";
  if (kPlain.test(value) && !kWords.test(value) && !value.endsWith(" ")) return value;
  return JSON.stringify(value);
}
const isScalar = (value: unknown): boolean => typeof value !== "object" || value === null;

export function writeYaml(value: Record<string, unknown>, indent = ""): string {
  let text = "";
  for (const [name, item] of Object.entries(value)) {
    const key = `${indent}${scalar(name)}:`;
    if (item === undefined) continue;
    if (isScalar(item)) text += `${key} ${scalar(item)}\n`;
    else if (Array.isArray(item)) {
      if (item.every(isScalar)) text += `${key} [${item.map(scalar).join(", ")}]\n`;
      else
        text += `${key}\n${item.map((entry) => `${indent}  - ${isScalar(entry) ? `${scalar(entry)}\n` : writeYaml(entry as Record<string, unknown>, `${indent}    `).trimStart()}`).join("")}`;
    } else if (Object.keys(item as object).length === 0) text += `${key} {}\n`;
    else text += `${key}\n${writeYaml(item as Record<string, unknown>, `${indent}  `)}`;
  }
  return text;
}
