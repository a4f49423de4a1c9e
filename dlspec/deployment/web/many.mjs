/** Predictions of all rows of a CSV file. */
import { named } from "../serving/naming.mjs";
import { cellOf, csvOf, linesOf } from "./csv.mjs";
import { rowOf, warningOf } from "./fields.mjs";
import { counted, filePicker, make, takesDrops } from "./making.mjs";

const AT_ONCE = 500;
const SHOWN = 50;
const SAID = 3;

/** Rows of lines, and what is wrong with some. */
function rowsOf(lines, columns, none) {
  const [head, ...body] = lines;
  const places = columns.map(({ label }) => head.findIndex((cell) => cell.trim() === label));
  const lacking = columns.filter((_, number) => places[number] < 0).map(({ label }) => label);
  if (lacking.length) throw new Error(`the first line does not name ${lacking.join(", ")}`);
  const problems = [];
  let strange = 0;
  const rows = body.map((line, number) => {
    const values = columns.map((column, place) => {
      const text = line[places[place]] ?? "";
      const isWord = column.kind === "word" || column.kind === "text";
      const found = isWord && !text.trim() ? (column.missing ? [column.kind === "word" ? none : ""] : null) : cellOf(text, column);
      if (!found) problems.push(`row ${number + 1}: ${column.label} ${text.trim() ? `cannot be “${text}”${column.kind === "time" ? ", but for example 2024-05-31" : ""}` : "is missing"}`);
      return found;
    });
    if (!values.every(Boolean)) return null;
    if (columns.some((column, place) => warningOf(column, values[place][0], null))) strange++;
    return rowOf(columns, values.map(([value]) => value));
  });
  return { rows, problems, strange };
}

/** Names and values of a prediction, flat, as `dlspec predict` writes them: a probability is called `column=class`. */
export function flat(target, { probabilities, ...found }) {
  const names = { class: target.classes.map((name) => [name, `${target.name}=${name}`]) };
  names.labels = target.labels.map(({ name, column, word }) => [name, `${column}=${word}`]);
  const shares = (names[target.kind] ?? []).map(([name, called]) => [called, probabilities[name]]);
  return [...Object.entries(found), ...shares];
}

export function manyRows(columns, facts, network) {
  const { outputs, missing_word: none } = facts.signature;
  const said = make("p", { role: "status", text: "" });
  const result = make("div", { class: "scroll" });
  const names = columns.map(({ label }) => label).join(", ");
  const open = async (file) => {
    result.replaceChildren();
    said.className = "";
    said.textContent = `${file.name} is being read.`;
    try {
      const lines = linesOf(await file.text());
      if (lines.length < 2) throw new Error("it has no rows");
      const { rows, problems, strange } = rowsOf(lines, columns, none);
      const whole = rows.flatMap((row, place) => (row ? [place] : []));
      const found = new Array(rows.length).fill(null);
      for (let first = 0; first < whole.length; first += AT_ONCE) {
        const places = whole.slice(first, first + AT_ONCE);
        const output = await network.outputOf(places.map((place) => rows[place]));
        named(outputs, output).forEach((each, i) => (found[places[i]] = flat(outputs, each)));
      }
      const own = (found.find(Boolean) ?? []).map(([name]) => name);
      const table = [[...lines[0], ...own.map((name) => (lines[0].includes(name) ? `predicted ${name}` : name))]];
      rows.forEach((_, i) => {
        const cells = lines[0].map((_, place) => lines[i + 1][place] ?? "");
        table.push([...cells, ...own.map((_, place) => found[i]?.[place][1] ?? "")]);
      });
      const wrong = problems.length ? `; ${counted(rows.length - whole.length, "row")} without one: ${problems.slice(0, SAID).join("; ")}` : "";
      const odd = strange ? `; ${counted(strange, "row")} with values outside of what the network was trained on` : "";
      said.textContent = `${file.name}: ${counted(whole.length, "prediction")}${wrong}${odd}.`;
      show(table, lines[0].length, file.name);
    } catch (error) {
      said.className = "wrong";
      said.textContent = `${file.name}: ${error.message}`;
    }
  };
  const show = (table, given, name) => {
    const address = URL.createObjectURL(new Blob([csvOf(table)], { type: "text/csv" }));
    const link = make("a", { href: address, download: `${name.replace(/\.[^.]*$/, "")}_predictions.csv`, text: "Save all as CSV" });
    const cell = (tag) => (text, place) =>
      make(tag, { class: place >= given ? "own" : null, text: typeof text === "number" ? String(Number(text.toPrecision(6))) : text });
    const head = make("thead", {}, make("tr", {}, ...table[0].map(cell("th"))));
    const body = make("tbody", {}, ...table.slice(1, 1 + SHOWN).map((line) => make("tr", {}, ...line.map(cell("td")))));
    const more = table.length - 1 - SHOWN;
    const rest = make("p", { class: "hint", text: more > 0 ? `and ${counted(more, "row")} more` : "" });
    result.replaceChildren(link, make("table", {}, head, body), rest);
  };
  const picker = filePicker("Open a CSV file", ".csv,.tsv,text/csv", open);
  const hint = make("p", { class: "hint", text: `Drop a CSV file here, whose first line names ${names}.` });
  const element = make("div", {}, make("div", { class: "drop" }, hint, picker), said, result);
  takesDrops(element, open);
  return element;
}
