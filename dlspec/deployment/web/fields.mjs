/** A form with a field for each column of a table. */
import { wordsOf } from "../serving/preprocessing.mjs";
import { secondsOf, spelt } from "./csv.mjs";
import { make, newId, shown } from "./making.mjs";

const MOST_WORDS = 60;
const BOOLEAN = ["true", "yes", "false", "no", "0", "1"];

/** The columns of a table, each with where its value stands in a row; null where the inputs are no single values. */
export function columnsOf(signature) {
  const { inputs } = signature;
  const own = (input) => ({ ...input, label: input.column ?? input.name, missing: input.may_be_missing === true });
  if (inputs.every(({ shape }) => shape.length === 1 && shape[0] === 1)) {
    return inputs.map((input) => ({ ...own(input), kind: input.kind ?? "number", input: input.name, place: null }));
  }
  const [{ name, shape, columns }] = inputs;
  if (inputs.length > 1 || !columns || shape.length !== 1 || columns.length !== shape[0]) return null;
  return columns.map((column, place) => ({ ...own(column), kind: "number", input: name, place }));
}

export const valueIn = (row, { input, place }) => (place === null ? [row[input]].flat(Infinity)[0] : row[input][place]);

/** A row of the values of columns, in their order. */
export function rowOf(columns, values) {
  const row = {};
  columns.forEach(({ input, place }, number) => {
    if (place === null) row[input] = values[number];
    else (row[input] ??= [])[place] = values[number];
  });
  return row;
}

const spanOf = ({ from, to }) => `${from} to ${to}`.replaceAll("T", " ");

/** The end of a day, or a time. */
const lastOf = (text) => secondsOf(text) + (text.includes(":") ? 0 : 86399);

/** What is unusual about a value, next to the training part; null: nothing. */
export function warningOf(column, value, words) {
  const { label, kind, unit, min, max } = column;
  if (value === null) return null;
  if (kind === "number" && min !== undefined && (value < min || value > max)) {
    const range = `${shown(min)} to ${shown(max)}${unit ? ` ${unit}` : ""}`;
    return `${label}: ${shown(value)} lies outside of what the network was trained on, ${range}`;
  }
  if (kind === "time" && column.from && (value < secondsOf(column.from) || value > lastOf(column.to))) {
    return `${label}: it lies outside of what the network was trained on, ${spanOf(column)}`;
  }
  if (kind === "word" && column.words && value !== "" && !column.words.includes(value)) {
    return `${label}: the network has never seen “${value}”`;
  }
  if (kind === "text" && words) {
    const all = wordsOf(value);
    const strange = all.filter((word) => !words.has(word));
    if (!all.length) return `${label}: there are no words`;
    if (strange.length) {
      const some = [...new Set(strange)].slice(0, 5).join(", ");
      return `${label}: ${strange.length} of ${all.length} words are not among those that the network knows: ${some}`;
    }
  }
  return null;
}

/** The words that the network knows of a text, out of the steps before it. */
function knownWords(steps, name) {
  const step = steps.find(({ op, of }) => (op === "sequence" || op === "bag") && of.includes(name));
  return step ? new Set(step.words) : null;
}

export function tableForm(columns, facts, changed) {
  const rows = facts.rows?.rows ?? [];
  const fields = columns.map((column) => {
    const values = rows.map((row) => valueIn(row, column)).filter((value) => value !== null);
    const word = column.kind === "word" ? wordField : column.kind === "text" ? textField : null;
    const field = (word ?? (column.kind === "time" ? timeField : numberField))(column, values, facts.signature);
    const words = column.kind === "text" ? knownWords(facts.preprocessing.before, column.input) : null;
    return { ...field, column, words };
  });
  const element = make("div", {}, ...fields.map((field) => field.element));
  element.addEventListener("input", changed);
  return {
    element,
    show: (row) => fields.forEach((field) => field.show(valueIn(row, field.column))),
    read() {
      const values = fields.map((field) => field.read());
      const lacking = fields.filter((field, place) => values[place] === undefined).map((field) => field.column.label);
      if (lacking.length) return { problem: `A value is needed for ${lacking.join(", ")}.` };
      const warnings = fields.map(({ column, words }, place) => warningOf(column, values[place], words));
      return { row: rowOf(columns, values), warnings: warnings.filter(Boolean) };
    },
  };
}

function labelled(column, hint, control, ...more) {
  control.id = newId();
  control.dataset.column = column.label;
  const unit = column.unit ? ` in ${column.unit}` : "";
  const said = make("span", { class: "hint", text: `${unit}${hint ? ` · ${hint}` : ""}${column.missing ? " · may be empty" : ""}` });
  const label = make("label", { for: control.id }, column.label, said);
  return make("div", { class: more.length ? "field pair" : "field" }, label, ...more, control);
}

function numberField(column, values) {
  const { min, max, label } = column;
  const ranged = min !== undefined && max > min;
  const whole = ranged && [min, max, ...values].every(Number.isInteger);
  const input = make("input", { type: "number", step: "any", inputmode: "decimal" });
  const wide = ranged ? 10 ** Math.floor(Math.log10((max - min) / 100)) : 1;
  const step = whole ? 1 : wide;
  const [low, high] = ranged ? [Math.floor(min / step) * step, Math.ceil(max / step) * step] : [0, 1];
  const slider = make("input", { type: "range", min: low, max: high, step, "aria-label": `${label}, slider` });
  slider.addEventListener("input", () => (input.value = String(Number(Number(slider.value).toPrecision(12)))));
  input.addEventListener("input", () => (slider.value = input.value));
  const hint = ranged ? `${shown(min)} to ${shown(max)}` : "";
  return {
    element: labelled(column, hint, input, ...(ranged ? [slider] : [])),
    show(value) {
      input.value = value === null ? "" : String(value);
      slider.value = input.value;
    },
    read: () => (input.value === "" ? (column.missing && !input.validity.badInput ? null : undefined) : Number(input.value)),
  };
}

function timeField(column, values) {
  const days = values.every((value) => value % 86400 === 0) && !/\d:\d/.test(`${column.from} ${column.to}`);
  const input = make("input", { type: days ? "date" : "datetime-local", step: 1 });
  const hint = column.from ? spanOf(column) : "";
  return {
    element: labelled(column, hint, input),
    show: (value) => (input.value = value === null ? "" : new Date(value * 1000).toISOString().slice(0, days ? 10 : 19)),
    read() {
      const seconds = secondsOf(input.value);
      return Number.isFinite(seconds) ? seconds : column.missing ? null : undefined;
    },
  };
}

/** What is chosen from: of words that mean yes or no one of each, as the examples spell them. */
function choicesOf(words, values) {
  if (!BOOLEAN.every((word) => words.includes(word))) return words;
  const [yes, no] = [words.slice(0, words.indexOf("false")), words.slice(words.indexOf("false"))];
  return [values.find((value) => yes.includes(value)) ?? "yes", values.find((value) => no.includes(value)) ?? "no"];
}

function wordField(column, values, { missing_word: none }) {
  const all = column.words && column.words.length <= MOST_WORDS * 2 ? choicesOf(column.words, values) : null;
  if (!all || all.length > MOST_WORDS) return freeWord(column, none);
  const OTHER = "\u0000";
  const choices = all.map((word) => make("option", { value: word, text: word }));
  const other = make("input", { "aria-label": `${column.label}, another word`, hidden: true, placeholder: "another word" });
  const select = make("select", {}, ...choices);
  if (column.missing) select.append(make("option", { value: none, text: "(missing)" }));
  select.append(make("option", { value: OTHER, text: "another word …" }));
  select.addEventListener("input", () => (other.hidden = select.value !== OTHER));
  const element = labelled(column, "", select);
  element.append(other);
  return {
    element,
    show(value) {
      const listed = [...select.options].some((option) => option.value === value);
      select.value = listed ? value : OTHER;
      other.value = listed ? "" : value;
      other.hidden = listed;
    },
    read: () => (select.value === OTHER ? spelt(other.value, column) || (column.missing ? none : undefined) : select.value),
  };
}

function freeWord(column, none) {
  const list = make("datalist", { id: newId() }, ...(column.words ?? []).map((word) => make("option", { value: word })));
  const input = make("input", { list: list.id });
  const element = labelled(column, "", input);
  element.append(list);
  return {
    element,
    show: (value) => (input.value = value),
    read: () => spelt(input.value, column) || (column.missing ? none : undefined),
  };
}

function textField(column) {
  const area = make("textarea", { rows: 3, spellcheck: "false" });
  return { element: labelled(column, "", area), show: (value) => (area.value = value), read: () => (area.value.trim() || column.missing ? area.value : undefined) };
}
