/** Elements of the page; what comes from data is text, and never markup. */

export const byId = (id) => document.getElementById(id);

/** An element with properties (`class`, `on...`, attributes, or `text`) and children. */
export function make(tag, properties = {}, ...children) {
  const found = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") found.textContent = value;
    else if (name.startsWith("on")) found.addEventListener(name.slice(2), value);
    else found.setAttribute(name, value === true ? "" : value);
  }
  found.append(...children);
  return found;
}

const FORMAT = new Intl.NumberFormat("en", { maximumSignificantDigits: 5 });

/** A number as one reads it. */
export function shown(number) {
  if (number === null || !Number.isFinite(number)) return "–";
  const size = Math.abs(number);
  return size !== 0 && (size < 1e-3 || size >= 1e7) ? number.toExponential(2) : FORMAT.format(number);
}

export const percent = (share) => (share === null || !Number.isFinite(share) ? "–" : `${(100 * share).toFixed(1)} %`);

/** `1 row`, `2 rows`. */
export const counted = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

let count = 0;
export const newId = () => `field-${++count}`;

/** A button that opens files, and a place to drop them. */
export function filePicker(said, accept, open) {
  const input = make("input", { type: "file", accept });
  input.addEventListener("change", () => {
    if (input.files.length) open(input.files[0]);
    input.value = "";
  });
  return make("label", { class: "file" }, said, input);
}

export function takesDrops(element, open) {
  const over = (event) => {
    event.preventDefault();
    element.classList.toggle("over", event.type === "dragover");
    if (event.type === "drop" && event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
  };
  for (const name of ["dragover", "dragleave", "drop"]) element.addEventListener(name, over);
}
