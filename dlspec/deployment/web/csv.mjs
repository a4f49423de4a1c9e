/** Comma-separated values. */

/** The lines of a text, each a list of cells; a tab or a semicolon separates them where the first line has no comma. */
export function linesOf(text) {
  const first = text.slice(0, (text + "\n").indexOf("\n"));
  const separator = ["\t", ",", ";"].reduce((a, b) => (first.split(b).length > first.split(a).length ? b : a), ",");
  const lines = [];
  let [line, cell, quoted] = [[], "", false];
  const source = text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");
  for (let i = 0; i <= source.length; i++) {
    const letter = source[i];
    if (quoted && letter !== undefined) {
      if (letter === '"' && source[i + 1] === '"') cell += source[i++];
      else if (letter === '"') quoted = false;
      else cell += letter;
    } else if (letter === '"' && cell === "") quoted = true;
    else if (letter === separator || letter === "\n" || letter === undefined) {
      line.push(cell);
      cell = "";
      if (letter !== separator) {
        if (line.length > 1 || line[0] !== "") lines.push(line);
        line = [];
      }
    } else cell += letter;
  }
  return lines;
}

const quoted = (cell) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** Lines as a text; a missing value is an empty cell. */
export const csvOf = (lines) => lines.map((line) => line.map((cell) => quoted(String(cell ?? ""))).join(",") + "\n").join("");

const NONE = new Set(["", "nan", "na", "n/a", "null", "none"]);

const WITH_ZEROS = /^-?(0|[1-9]\d*)\.0*$/;
const WHOLE = /^-?(0|[1-9]\d*)$/;

/** A word as training reads it: without spaces around it, a whole number without a point, zeros before it only where the words have them. */
export function spelt(text, { words }) {
  const trimmed = text.trim();
  const word = WITH_ZEROS.test(trimmed) ? trimmed.split(".")[0] : trimmed;
  if (!words || words.includes(word) || !words.length || !words.every((known) => WHOLE.test(known))) return word;
  const other = word.replace(/^(-?)0+(?=\d)/, "$1");
  return words.includes(other) ? other : word;
}

/** What a cell says for a column, `[value]`, or `null` where it says nothing that the column could have. */
export function cellOf(text, column) {
  const plain = text.trim();
  if (column.kind === "word") return [spelt(text, column)];
  if (column.kind === "text") return [text];
  if (NONE.has(plain.toLowerCase())) return column.missing ? [null] : null;
  const number = column.kind === "time" ? secondsIn(plain, column.form) : Number(plain);
  return Number.isFinite(number) ? [number] : null;
}

/** Seconds since 1970 of a date or a date with a time, as UTC unless it says otherwise; else NaN. */
export function secondsOf(text) {
  const found = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?(Z|[+-]\d{2}:?\d{2})?$/.exec(text.trim());
  return found ? Date.parse(`${found[1]}T${found[2] ?? "00:00"}${found[3] ?? "Z"}`) / 1000 : NaN;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const PARTS = {
  Y: "(\\d{4})", y: "(\\d{2})", m: "(\\d{1,2})", d: "(\\d{1,2})", H: "(\\d{1,2})", I: "(\\d{1,2})",
  M: "(\\d{1,2})", S: "(\\d{1,2})", b: "([a-z]{3})", B: "([a-z]+)", p: "([ap]m)",
};

/** Seconds since 1970 of a time as a form of Python's `strptime` has it, or as ISO 8601; else NaN. */
export function secondsIn(text, form = "ISO8601") {
  if (!form.includes("%")) return secondsOf(text);
  const letters = [...form.matchAll(/%(\w)/g)].map(([, letter]) => letter);
  const escaped = form.replace(/[.*+?^$|()[\]\\/]/g, "\\$&");
  const pattern = new RegExp(`^${escaped.replace(/%(\w)/g, (_, letter) => PARTS[letter] ?? "$^")}$`, "i");
  const found = pattern.exec(text);
  if (!found) return secondsOf(text);
  const part = Object.fromEntries(letters.map((letter, place) => [letter, found[place + 1].toLowerCase()]));
  const year = part.Y !== undefined ? Number(part.Y) : Number(part.y) + (Number(part.y) < 69 ? 2000 : 1900);
  const named = part.b ?? part.B?.slice(0, 3);
  const month = named !== undefined ? MONTHS.indexOf(named) : Number(part.m) - 1;
  const hour = part.I !== undefined ? (Number(part.I) % 12) + (part.p === "pm" ? 12 : 0) : Number(part.H ?? 0);
  const date = new Date(Date.UTC(year, month, Number(part.d), hour, Number(part.M ?? 0), Number(part.S ?? 0)));
  const exists = date.getUTCMonth() === month && date.getUTCDate() === Number(part.d);
  return exists ? date.getTime() / 1000 : NaN;
}
