// The form of a server: a field for each column, files, and what the network makes of them.
"use strict";

const byId = (id) => document.getElementById(id);
const MOST_ROWS_SHOWN = 200;
const MOST_WARNINGS_SHOWN = 8;
let known = null; // what the server says that the network takes and gives
let token = sessionStorage.getItem("token") || "";
if (location.hash.startsWith("#token=")) {
  token = decodeURIComponent(location.hash.slice(7));
  sessionStorage.setItem("token", token);
  history.replaceState(null, "", location.pathname);
}

function element(name, text, attributes = {}) {
  const found = document.createElement(name);
  if (text !== undefined && text !== null) found.textContent = text;
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) found.setAttribute(key, value);
  }
  return found;
}

async function ask(path, body) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(path, { method: body === undefined ? "GET" : "POST", headers, body, cache: "no-store" });
  const value = await answer.json().catch(() => ({ errors: [{ message: `the server said ${answer.status}` }] }));
  return { status: answer.status, value };
}

const isTable = () => known.inputs.every((each) => each.column && each.shape.length === 1 && each.shape[0] === 1);
const single = () => known.inputs[0];
const columnsOf = () => {
  if (isTable()) return known.inputs;
  const named = single().columns || [];
  const plain = single().shape.length === 1 && named.length === single().shape[0] && !single().timesteps;
  return plain ? named.map((each) => ({ ...each, kind: "number" })) : [];
};
const isSeries = () => single().timesteps !== undefined;
const isSound = () => !isTable() && !columnsOf().length && !isSeries() && single().shape.length === 1;
const isPicture = () => !isTable() && !isSeries() && [2, 3].includes(single().shape.length);
const short = (number) => (Number.isFinite(number) ? String(Number(number.toPrecision(6))) : "unknown");

// Fields

function hintOf(column) {
  const parts = [];
  if (column.kind === "number" && column.min !== undefined) parts.push(`${short(column.min)} to ${short(column.max)}`);
  if (column.kind === "time" && column.from) parts.push(`${column.from} to ${column.to}`.replaceAll("T", " "));
  if (column.words && column.words.length <= 6) parts.push(column.words.join(", "));
  else if (column.words) parts.push(`${column.words.length} words`);
  if (column.kind === "text") parts.push("a text");
  if (column.may_be_missing) parts.push("may be empty");
  return parts.join("; ");
}

const isBoolean = (column) => column.words && column.words.includes("true") && column.words.includes("false");

function field(column, place) {
  const box = element("div", null, column.kind === "text" ? { class: "wide" } : {});
  const id = `field_${place}`;
  box.append(element("label", column.unit ? `${column.column} (${column.unit})` : column.column, { for: id }));
  let input;
  if (isBoolean(column)) {
    input = element("select", null, { id });
    for (const [value, text] of [["", ""], ["true", "yes"], ["false", "no"]]) input.append(element("option", text, { value }));
  } else {
    const numeric = column.kind === "number";
    input = element("input", null, {
      id, inputmode: numeric ? "decimal" : null, autocomplete: "off",
      placeholder: column.kind === "time" ? column.from : null, list: column.words ? `${id}_words` : null,
    });
    if (column.words) {
      const list = element("datalist", null, { id: `${id}_words` });
      for (const word of column.words.slice(0, 1000)) list.append(element("option", null, { value: word }));
      box.append(list);
    }
  }
  input.dataset.column = column.column;
  input.setAttribute("aria-describedby", `${id}_hint`);
  const hint = isBoolean(column) ? (column.may_be_missing ? "may be empty" : "") : hintOf(column);
  box.append(input, element("p", hint, { class: "hint", id: `${id}_hint` }));
  return box;
}

// What was typed, as JSON; a number that is none goes as text, so that the server says what is wrong with it.
function valueOf(column, text) {
  if (text.trim() === "") return null;
  if (column.kind !== "number") return text;
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

function typedRow() {
  const row = {};
  for (const [place, column] of columnsOf().entries()) row[column.column] = valueOf(column, byId(`field_${place}`).value);
  return row;
}

function drawFields() {
  const fields = byId("fields");
  fields.replaceChildren();
  const columns = columnsOf();
  if (columns.length) {
    fields.append(...columns.map(field));
    return;
  }
  const box = element("div", null, { class: "wide" });
  const apart = single().every ? `, each ${single().every} rows after the one before` : "";
  const what = isSeries() ? `${single().shape[0]} timesteps${apart}, the oldest first` : single().shape.join(" x ");
  box.append(element("label", isSeries() ? "window" : single().column || single().columns?.[0]?.column || "values", { for: "json" }));
  box.append(element("textarea", null, { id: "json", spellcheck: "false", "aria-describedby": "json_hint" }));
  const names = (single().columns || []).map((each) => each.column);
  box.append(element("p", `${what}${names.length > 1 ? `, each ${names.join(", ")}` : ""}, as JSON`, { class: "hint", id: "json_hint" }));
  fields.append(box);
}

function showExample() {
  const row = known.shown && known.shown.rows[0];
  if (!row) return;
  const columns = columnsOf();
  if (!columns.length) {
    const value = row[single().name];
    byId("json").value = isSeries() ? `[\n${value.map((step) => ` ${JSON.stringify(step)}`).join(",\n")}\n]` : JSON.stringify(value);
    if (isPicture()) drawPixels(row[single().name]);
    return;
  }
  for (const [place, column] of columns.entries()) {
    let value = isTable() ? row[column.name] : row[single().name][place];
    if (column.kind === "time" && typeof value === "number") value = new Date(value * 1000).toISOString().slice(0, 19);
    const input = byId(`field_${place}`);
    if (isBoolean(column)) value = column.words.indexOf(String(value)) < column.words.indexOf("false") ? "true" : "false";
    input.value = value === null ? "" : String(value);
  }
}

// Answers

function bars(shares) {
  const list = element("ul", null, { class: "bars" });
  const sorted = Object.entries(shares).sort((a, b) => (b[1] ?? -1) - (a[1] ?? -1));
  for (const [name, share] of sorted.slice(0, 12)) {
    const line = element("li");
    const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    bar.setAttribute("width", `${100 * (share ?? 0)}%`);
    bar.setAttribute("height", "100%");
    drawing.append(bar);
    drawing.setAttribute("aria-hidden", "true");
    line.append(drawing, element("span", name), element("span", share === null ? "unknown" : `${(100 * share).toFixed(1)}%`));
    list.append(line);
  }
  if (sorted.length > 12) list.append(element("li", `and ${sorted.length - 12} more`));
  return list;
}

function note(problem, kind, several = false) {
  const found = element("p", null, { class: `note ${kind}` });
  const place = [problem.column, problem.row && (several || problem.row > 1) ? `row ${problem.row}` : null].filter(Boolean).join(", ");
  if (place) found.append(element("b", `${place}: `));
  found.append(problem.message + (problem.help ? ` \u2013 ${problem.help}` : ""));
  return found;
}

function predicted(one) {
  const found = document.createDocumentFragment();
  const { probabilities, values, ...named } = one;
  const entries = Object.entries(named);
  const units = known.outputs.units || [];
  const text = (value) => (value === null ? "unknown" : typeof value === "number" ? short(value) : String(value));
  if (entries.length === 1) {
    const [name, value] = entries[0];
    const big = element("p", null, { class: "big" });
    big.append(element("small", `${name} `), text(value) || "none");
    if (known.outputs.kind === "number" && units[0]) big.append(element("small", ` ${units[0]}`));
    found.append(big);
  } else if (entries.length) {
    const list = element("dl");
    entries.forEach(([name, value], place) => {
      const unit = known.outputs.kind === "number" && units[place] ? ` ${units[place]}` : "";
      list.append(element("dt", name), element("dd", text(value) + unit));
    });
    found.append(list);
  }
  if (probabilities) found.append(bars(probabilities));
  if (values !== undefined) {
    const [rows, columns] = [values.length, Array.isArray(values[0]) ? values[0].length : 0];
    if (columns && isPicture()) found.append(pixels(values));
    else found.append(element("p", JSON.stringify(values).slice(0, 2000), { class: "hint" }));
    found.append(element("p", columns ? `${rows} x ${columns}` : `${rows ?? 1} values`, { class: "hint" }));
  }
  return found;
}

function showAnswer({ status, value }) {
  const answer = byId("answer");
  answer.replaceChildren();
  for (const input of document.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  if (status !== 200) {
    for (const problem of value.errors || [{ message: `the server said ${status}` }]) {
      answer.append(note(problem, "bad"));
      const input = [...document.querySelectorAll("[data-column]")].find((each) => each.dataset.column === problem.column);
      (input || byId("json"))?.setAttribute("aria-invalid", "true");
    }
    return;
  }
  answer.append(predicted(value.predictions[0]));
  for (const problem of value.warnings || []) answer.append(note(problem, "warn"));
}

function failed(error) {
  byId("answer").replaceChildren(note({ message: `the server does not answer: ${error.message}` }, "bad"));
}

async function predict(row) {
  byId("ask").disabled = true;
  try {
    showAnswer(await ask("predict", JSON.stringify({ rows: [row] })));
  } catch (error) {
    failed(error);
  } finally {
    byId("ask").disabled = false;
  }
}

// Pictures and sounds

function pixels(values) {
  const grey = values.map((row) => row.map((value) => (Array.isArray(value) ? value : [value])));
  const [height, width] = [grey.length, grey[0].length];
  const canvas = element("canvas", null, { width, height });
  canvas.style.width = `${Math.min(280, width * 8)}px`;
  const low = single().min ?? single().columns?.[0]?.min ?? 0;
  const high = single().max ?? single().columns?.[0]?.max ?? 255;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  grey.flat().forEach((pixel, place) => {
    for (let channel = 0; channel < 3; channel += 1) {
      image.data[4 * place + channel] = (255 * ((pixel[channel] ?? pixel[0]) - low)) / (high - low || 1);
    }
    image.data[4 * place + 3] = 255;
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

const drawPixels = (values) => byId("table").replaceChildren(pixels(values));

// A picture as the rows of pixels that the network takes, from 0 to the largest value of training where that is below 255.
async function pictureOf(file) {
  const [height, width, channels] = [...single().shape, 1];
  const bitmap = await createImageBitmap(file);
  const canvas = element("canvas", null, { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const data = context.getImageData(0, 0, width, height).data;
  const most = single().max ?? single().columns?.[0]?.max ?? 255;
  const scale = most > 0 && most <= 64 ? most / 255 : 1;
  const rows = [];
  for (let y = 0; y < height; y += 1) {
    rows.push([]);
    for (let x = 0; x < width; x += 1) {
      const [red, green, blue] = data.subarray(4 * (y * width + x), 4 * (y * width + x) + 3);
      const grey = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
      const pixel = channels === 3 ? [red, green, blue].map((each) => each * scale) : [grey * scale];
      rows[y].push(single().shape.length === 2 ? pixel[0] : pixel);
    }
  }
  return { rows, scaled: bitmap.width !== width || bitmap.height !== height, from: `${bitmap.width} x ${bitmap.height}`, scale };
}

async function predictPicture(file) {
  const { rows, scaled, from, scale } = await pictureOf(file);
  byId("json").value = JSON.stringify(rows);
  await predict({ [single().name]: rows });
  const notes = [];
  if (scaled) notes.push(note({ message: `the picture of ${from} pixels was scaled to ${single().shape.slice(0, 2).reverse().join(" x ")}` }, "warn"));
  if (scale !== 1) notes.push(note({ message: "white was made the largest value of the training data" }, "warn"));
  byId("table").replaceChildren(pixels(rows), ...notes);
}

async function predictSound(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  byId("json").value = "";
  await predict({ [single().name]: `data:audio/wav;base64,${btoa(text)}` });
}

// Tables

// Rows of separated values, fields in quotes with whatever is in them; the separator is the one that the first line has most of.
function parseTable(text) {
  text = text.replace(/^\ufeff/, "");
  const first = text.slice(0, (text.search(/[\r\n]/) + 1 || text.length + 1) - 1);
  const counts = [",", ";", "\t"].map((sign) => [first.split(sign).length, sign]);
  const separator = counts.sort((a, b) => b[0] - a[0])[0][1];
  const rows = [[]];
  let value = "";
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const sign = text[i];
    if (quoted) {
      if (sign !== '"') value += sign;
      else if (text[i + 1] === '"') { value += '"'; i += 1; } else quoted = false;
    } else if (sign === '"' && value === "") quoted = true;
    else if (sign === separator) { rows.at(-1).push(value); value = ""; }
    else if (sign === "\n" || sign === "\r") {
      if (sign === "\r" && text[i + 1] === "\n") i += 1;
      rows.at(-1).push(value);
      value = "";
      rows.push([]);
    } else value += sign;
  }
  rows.at(-1).push(value);
  return rows.filter((row) => row.length > 1 || row[0].trim() !== "");
}

const cell = (value) => {
  let text = value === null || value === undefined ? "" : String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`; // no program takes it for a formula
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

function flat(one) {
  const { probabilities, values, ...named } = one;
  const shares = Object.entries(probabilities || {}).map(([label, share]) => [`p(${label})`, share]);
  return { ...named, ...Object.fromEntries(shares), ...(values === undefined ? {} : { values: JSON.stringify(values) }) };
}

// What a series is forecast from: every window of rows that follow each other in one series, and the row it ends with.
function windows(head, rows) {
  const names = (single().columns || []).map((each) => each.column);
  const group = known.group;
  const missing = [...names, ...(group ? [group] : [])].filter((name) => !head.includes(name));
  if (missing.length) throw new Error(`the file has no column ${missing.join(", ")}`);
  const length = single().shape[0];
  const every = single().every || 1;
  const span = (length - 1) * every + 1;
  const places = names.map((name) => head.indexOf(name));
  const series = new Map();
  for (const row of rows) {
    const key = group ? row[head.indexOf(group)] : "";
    if (!series.has(key)) series.set(key, []);
    series.get(key).push(row);
  }
  const [asked, kept] = [[], []];
  for (const own of series.values()) {
    const steps = own.map((row) => places.map((place) => valueOf({ kind: "number" }, row[place] ?? "")));
    for (let end = span; end <= steps.length; end += 1) {
      asked.push(steps.slice(end - span, end).filter((_, number) => number % every === 0));
      kept.push(own[end - 1]);
    }
  }
  if (!asked.length) throw new Error(`a prediction takes ${span} rows of one series, and the file has too few`);
  return { asked, kept };
}

function tableRows(head, rows) {
  const columns = columnsOf();
  const missing = columns.filter((column) => !head.includes(column.column)).map((column) => column.column);
  if (missing.length) throw new Error(`the file has no column ${missing.join(", ")}`);
  const places = columns.map((column) => [column, head.indexOf(column.column)]);
  const asked = rows.map((row) => Object.fromEntries(places.map(([column, i]) => [column.column, valueOf(column, row[i] ?? "")])));
  return { asked, kept: rows };
}

async function predictTable(file) {
  const [head, ...rows] = parseTable(await file.text());
  const place = byId("table");
  if (!rows.length) throw new Error("the file has no rows below its names");
  const { asked, kept } = isSeries() ? windows(head, rows) : tableRows(head, rows);
  const found = [];
  const warnings = [];
  const most = Math.min(known.limits.rows, 2000);
  for (let first = 0; first < asked.length; first += most) {
    place.replaceChildren(element("p", `${first} of ${asked.length} rows`, { class: "hint" }));
    const { status, value } = await ask("predict", JSON.stringify({ rows: asked.slice(first, first + most) }));
    const moved = (each) => (each.row ? { ...each, row: each.row + first } : each);
    if (status !== 200) {
      const problems = (value.errors || []).map(moved);
      place.replaceChildren(...problems.slice(0, MOST_WARNINGS_SHOWN).map((problem) => note(problem, "bad", true)));
      return;
    }
    found.push(...value.predictions.map(flat));
    warnings.push(...(value.warnings || []).map(moved));
  }
  const names = Object.keys(found[0]);
  const called = names.map((name) => (head.includes(name) ? `predicted ${name}` : name));
  const table = element("table");
  const top = element("tr");
  top.append(...called.map((name) => element("th", name, { class: "mark" })), ...head.map((name) => element("th", name)));
  table.append(top);
  kept.slice(0, MOST_ROWS_SHOWN).forEach((row, i) => {
    const line = element("tr");
    const shown = (value) => (typeof value === "number" ? short(value) : value ?? "");
    line.append(...names.map((name) => element("td", shown(found[i][name]), { class: "mark" })), ...row.map((value) => element("td", value)));
    table.append(line);
  });
  const csv = [[...head, ...called], ...kept.map((row, i) => [...head.map((_, j) => row[j]), ...names.map((name) => found[i][name])])];
  const save = element("button", "Save as CSV", { type: "button" });
  save.addEventListener("click", () => {
    const link = element("a", null, { download: `${file.name.replace(/\.\w+$/, "")}_predicted.csv` });
    link.href = URL.createObjectURL(new Blob([csv.map((row) => row.map(cell).join(",")).join("\n") + "\n"], { type: "text/csv" }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  const controls = element("div", null, { class: "row" });
  controls.append(save);
  const scroll = element("div", null, { class: "scroll" });
  scroll.append(table);
  const more = kept.length > MOST_ROWS_SHOWN ? `the first ${MOST_ROWS_SHOWN} of ${kept.length} rows` : `${kept.length} rows`;
  const notes = warnings.slice(0, MOST_WARNINGS_SHOWN).map((problem) => note(problem, "warn", true));
  if (warnings.length > MOST_WARNINGS_SHOWN) notes.push(note({ message: `and ${warnings.length - MOST_WARNINGS_SHOWN} more` }, "warn"));
  if (isSeries()) notes.unshift(note({ message: "rows are taken as they follow each other, the oldest first; gaps in time are not looked for" }, "warn"));
  place.replaceChildren(controls, element("p", more, { class: "hint" }), ...notes, scroll);
}

async function take(file) {
  try {
    if (isPicture() && file.type.startsWith("image/")) await predictPicture(file);
    else if (isSound() && /\.wave?$/i.test(file.name)) await predictSound(file);
    else if (isSeries() || columnsOf().length) await predictTable(file);
    else throw new Error(`${file.name} is no ${isPicture() ? "picture" : "WAV file"}`);
  } catch (error) {
    byId("table").replaceChildren(note({ message: error.message }, "bad"));
  }
}

// The page

async function start() {
  let answer;
  try {
    answer = await ask("signature");
  } catch (error) {
    byId("about").textContent = `the server does not answer: ${error.message}`;
    return;
  }
  byId("unlock").hidden = answer.status !== 401;
  if (answer.status !== 200) {
    byId("about").textContent = token && answer.status === 401 ? "the token is another one" : "";
    return;
  }
  known = answer.value;
  byId("name").textContent = document.title = known.name;
  byId("about").textContent = `${known.version} on ${known.runtime}`;
  byId("main").hidden = false;
  drawFields();
  byId("example").hidden = !known.shown;
  document.querySelector("nav").hidden = token !== ""; // a link cannot send it
  const kind = isPicture() ? "a picture" : isSound() ? "a WAV file" : "a CSV file";
  byId("drop_text").textContent = `Drop ${kind} here, or choose one`;
  byId("file").accept = isPicture() ? "image/png,image/jpeg" : isSound() ? ".wav,.wave" : ".csv,.tsv,text/csv";
  const names = isSeries() ? (single().columns || []).map((each) => each.column) : columnsOf().map((each) => each.column);
  if (known.shown) {
    showExample();
    byId("form").requestSubmit();
  }
  if (names.length) byId("drop_hint").textContent = `with the columns ${names.slice(0, 30).join(", ")}${names.length > 30 ? ", ..." : ""}`;
}

byId("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  token = byId("token").value;
  sessionStorage.setItem("token", token);
  start();
});
byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (columnsOf().length) {
    predict(typedRow());
    return;
  }
  let value;
  try {
    value = JSON.parse(byId("json").value);
  } catch (error) {
    showAnswer({ status: 400, value: { errors: [{ message: `this is no JSON: ${error.message}` }] } });
    byId("json").setAttribute("aria-invalid", "true");
    return;
  }
  predict(isSeries() && !Array.isArray(value) ? value : { [single().name]: value });
});
byId("example").addEventListener("click", showExample);
byId("file").addEventListener("change", (event) => event.target.files[0] && take(event.target.files[0]));
for (const name of ["dragover", "dragleave", "drop"]) {
  byId("drop").addEventListener(name, (event) => {
    event.preventDefault();
    byId("drop").classList.toggle("over", name === "dragover");
    if (name === "drop" && event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
}
start();
