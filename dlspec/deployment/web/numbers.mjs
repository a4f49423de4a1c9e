/** Series as lines of comma-separated values, and any other array of numbers. */
import { csvOf, linesOf } from "./csv.mjs";
import { counted, filePicker, make, newId, shown, takesDrops } from "./making.mjs";
import { rangeOf, sizesOf } from "./pixels.mjs";
import { stillOf } from "./pictures.mjs";

/** A series that has a name for each column: the last steps of it, a line each. */
export function seriesForm(input, group, changed) {
  const [steps] = input.shape;
  const every = input.every ?? 1;
  const names = input.columns.map(({ column }) => column);
  const area = make("textarea", { class: "data", id: newId(), rows: 8, spellcheck: "false", wrap: "off" });
  const units = input.columns.map(({ column, unit }) => (unit ? `${column} in ${unit}` : column)).join(", ");
  const label = make("label", { for: area.id }, "The last ", counted(steps, "step"));
  const apart = every > 1 ? `, each ${every} rows after the one before` : "";
  label.append(make("span", { class: "hint", text: ` · a line each${apart}, the newest at the end: ${units}` }));
  const open = async (file) => {
    area.value = csvOf(stepsOf(linesOf(await file.text()), every, group));
    changed();
  };
  const element = make("div", { class: "field" }, label, area);
  element.append(make("div", { class: "tools" }, filePicker("Open a CSV file", ".csv,.tsv,text/csv", open)));
  element.addEventListener("input", changed);
  takesDrops(element, open);
  return {
    element,
    show: (row) => (area.value = csvOf([names, ...row[input.name]])),
    read() {
      const [head = [], ...lines] = linesOf(area.value);
      const places = names.map((name) => head.findIndex((cell) => cell.trim() === name));
      const lacking = names.filter((name, number) => places[number] < 0);
      if (lacking.length) return { problem: `The first line does not name ${lacking.join(", ")}.` };
      if (lines.length < steps) return { problem: `There are ${counted(lines.length, "step")}, and ${steps} are needed.` };
      const own = head.findIndex((cell) => group !== null && cell.trim() === group);
      const series = new Set(own < 0 ? [] : lines.slice(-steps).map((line) => line[own]));
      if (series.size > 1) return { problem: `The last ${steps} steps are of several ${group}: ${[...series].join(", ")}.` };
      const values = lines.slice(-steps).map((line) => places.map((place) => numberOf(line[place])));
      const wrong = values.findIndex((line) => line.some(Number.isNaN));
      if (wrong >= 0) return { problem: `Step ${wrong + 1} of ${steps} has a cell that is no number.` };
      return { row: { [input.name]: values }, warnings: outside(input.columns, values) };
    },
  };
}

/** The lines of a file that are timesteps: of the series of the last one, every so manieth back from it. */
export function stepsOf([head = [], ...lines], every, group) {
  const place = head.findIndex((cell) => group !== null && cell.trim() === group);
  const own = place < 0 || !lines.length ? lines : lines.filter((line) => line[place] === lines.at(-1)[place]);
  return [head, ...own.filter((_, number) => (own.length - 1 - number) % every === 0)];
}

const numberOf = (cell) => (cell === undefined || cell.trim() === "" ? NaN : Number(cell));

function outside(columns, values) {
  const said = columns.map(({ column, min, max, unit }, place) => {
    const strange = values.map((line) => line[place]).filter((value) => value < min || value > max);
    if (!strange.length) return null;
    const range = `${shown(min)} to ${shown(max)}${unit ? ` ${unit}` : ""}`;
    return `${column}: ${counted(strange.length, "step")} outside of what the network was trained on, ${range}`;
  });
  return said.filter(Boolean);
}

/** An array of any shape, as text; of a video its pictures are shown. */
export function arrayForm(inputs, changed) {
  const fields = inputs.map((input) => arrayField(input));
  const element = make("div", {}, ...fields.map((field) => field.element));
  element.addEventListener("input", changed);
  return {
    element,
    show: (row) => fields.forEach((field, place) => field.show(row[inputs[place].name])),
    read() {
      const found = fields.map((field) => field.read());
      const problem = found.find((each) => each.problem)?.problem;
      if (problem) return { problem };
      return { row: Object.fromEntries(inputs.map(({ name }, place) => [name, found[place].values])), warnings: [] };
    },
  };
}

function arrayField(input) {
  const sizes = input.shape.length === 4 ? sizesOf(input.shape.slice(1)) : null;
  const frames = make("div", { class: "frames" });
  const area = make("textarea", { class: "data", id: newId(), rows: sizes ? 3 : 8, spellcheck: "false", wrap: "off" });
  const shape = input.shape.join(" × ");
  const label = make("label", { for: area.id }, input.column ?? input.name);
  label.append(make("span", { class: "hint", text: ` · numbers of the shape ${shape}, as JSON` }));
  const size = input.shape.reduce((a, b) => a * b, 1);
  const draw = (values) => {
    if (!sizes) return;
    const each = size / input.shape[0];
    const parts = Array.from({ length: input.shape[0] }, (_, i) => values.slice(i * each, (i + 1) * each));
    frames.replaceChildren(...parts.map((part, i) => {
      const canvas = stillOf(part, sizes, rangeOf(input));
      canvas.setAttribute("aria-label", `Picture ${i + 1} of ${parts.length}`);
      return canvas;
    }));
  };
  return {
    element: make("div", { class: "field" }, label, frames, area),
    show(values) {
      area.value = JSON.stringify(values);
      draw([values].flat(Infinity));
    },
    read() {
      try {
        const values = [JSON.parse(area.value)].flat(Infinity);
        if (values.length !== size) return { problem: `There are ${values.length} numbers, and ${shape} are needed.` };
        if (!values.every((value) => value === null || typeof value === "number")) return { problem: "Not all are numbers." };
        draw(values);
        return { values };
      } catch {
        return { problem: "This is no JSON." };
      }
    },
  };
}
