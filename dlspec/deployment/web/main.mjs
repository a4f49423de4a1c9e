/** The page: opens the network, checks it, and answers. */
import { answerOf } from "./answer.mjs";
import { columnsOf, tableForm } from "./fields.mjs";
import { byId, counted, make } from "./making.mjs";
import { manyRows } from "./many.mjs";
import { differenceOf, Network } from "./network.mjs";
import { arrayForm, seriesForm } from "./numbers.mjs";
import { pictureForm } from "./pictures.mjs";
import { sizesOf } from "./pixels.mjs";
import { soundForm } from "./sounds.mjs";

const LEAST_SAMPLES = 64;
const facts = JSON.parse(byId("facts").textContent);
const { signature } = facts;
const examples = facts.rows?.rows ?? [];
const columns = columnsOf(signature);

function formOf(changed) {
  if (columns) return tableForm(columns, facts, changed);
  const [input] = signature.inputs;
  const { shape } = input;
  const alone = signature.inputs.length === 1;
  if (alone && input.columns?.length === shape[1] && shape.length === 2) return seriesForm(input, signature.group ?? null, changed);
  if (alone && sizesOf(shape)) return pictureForm(input, sizesOf(shape), facts, changed);
  const isSound = shape.length === 1 || (shape.length === 2 && shape[1] === 1);
  if (alone && isSound && !input.columns && shape[0] >= LEAST_SAMPLES) return soundForm(input, facts.rate ?? null, changed);
  return arrayForm(signature.inputs, changed);
}

function state(text, kind) {
  byId("state").textContent = text;
  byId("state").className = kind;
  document.documentElement.dataset.state = kind;
}

/** Computes the rows of `rows.json`, and says how far they are from what is written there. */
async function check(network) {
  if (!examples.length) return state("There are no rows to check it with.", "unchecked");
  const output = await network.outputOf(examples);
  const difference = differenceOf(output, facts.rows.outputs, signature.outputs.kind);
  const said = difference === Infinity ? "infinite" : difference === 0 ? "0" : difference.toExponential(0);
  Object.assign(document.documentElement.dataset, { checked: examples.length, difference });
  if (difference <= facts.allowed) return state(`checked: ${counted(examples.length, "row")}, largest difference ${said}`, "right");
  return state(`This browser computes other values than those that were measured: largest difference ${said}. Do not trust what it answers.`, "wrong");
}

/** Where the answer stands below what is to be seen, a bar says it in short. */
function showShort() {
  const short = byId("short");
  short.addEventListener("click", () => byId("found").scrollIntoView({ block: "center" }));
  let below = false;
  const show = () => {
    const said = document.querySelector("#answer .big");
    short.textContent = said ? said.textContent : "";
    short.hidden = !below || !said;
  };
  new MutationObserver(show).observe(byId("answer"), { childList: true });
  const seen = ([{ isIntersecting, boundingClientRect }]) => {
    below = !isIntersecting && boundingClientRect.top > 0;
    show();
  };
  new IntersectionObserver(seen, { rootMargin: "0px 0px -90px 0px" }).observe(byId("answer"));
}

let busy = false;
let again = false;

/** Answers what stands in the form; while one answer is computed, what was asked meanwhile is answered once. */
async function answer(network, form) {
  again = true;
  if (busy) return;
  busy = true;
  while (again) {
    again = false;
    await answerOnce(network, form);
  }
  busy = false;
}

async function answerOnce(network, form) {
  const { row, problem, warnings = [] } = form.read();
  let shown = [make("p", { class: "of", text: problem })];
  delete document.documentElement.dataset.answer;
  if (row) {
    try {
      const output = await network.outputOf([row]);
      shown = answerOf(signature.outputs, output, Object.values(row).flat(Infinity), form.restore);
      document.documentElement.dataset.answer = JSON.stringify(Array.from(output.data, Number));
    } catch (error) {
      shown = [make("p", { class: "wrong", text: `The network cannot answer this: ${error.message}` })];
    }
  }
  byId("answer").replaceChildren(...shown);
  byId("warnings").replaceChildren(...warnings.map((text) => make("li", { text })));
}

/** The example that the address asks for: the second by `#row=2`. */
const chosen = () => {
  const number = Number(/^#row=(\d+)$/.exec(location.hash)?.[1] ?? 1);
  return Math.min(Math.max(number, 1), examples.length) - 1;
};

function showExamples(form) {
  const buttons = examples.map((row, place) => {
    const picture = form.thumbnail?.(row);
    const label = `Row ${place + 1} of the test part`;
    const button = make("button", { type: "button", "aria-label": label, onclick: () => location.replace(`#row=${place + 1}`) });
    button.append(picture ?? String(place + 1));
    return button;
  });
  byId("examples").append(make("span", { text: "Rows of the test part:" }), ...buttons);
  byId("examples").hidden = !buttons.length;
  return (place) => buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === place)));
}

async function open() {
  byId("title").textContent = facts.name;
  byId("description").textContent = facts.description;
  byId("description").hidden = !facts.description;
  byId("made").textContent = `Made by dlspec ${facts.version}; computed by ${facts.runtime}, under the MIT License`;
  byId("license").textContent = facts.license;
  byId("form").addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
  try {
    let network = null;
    const form = formOf(() => {
      press(-1);
      if (network) answer(network, form);
    });
    const press = showExamples(form);
    byId("form").append(form.element);
    const show = () => {
      if (!examples.length) return;
      form.show(examples[chosen()]);
      press(chosen());
      if (network) answer(network, form);
    };
    show();
    showShort();
    addEventListener("hashchange", show);
    network = await Network.open(facts);
    await check(network);
    await answer(network, form);
    if (columns) {
      byId("rows").append(manyRows(columns, facts, network));
      byId("many").hidden = false;
    }
  } catch (error) {
    state(`The network cannot be run in this browser: ${error.message}`, "wrong");
    throw error;
  }
}

await open();
