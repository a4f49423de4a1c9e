/**
 * What a network puts out, as named values; see `outputs` of `signature.json`. It gives what `naming.py` gives.
 */

const plain = (number) => (Number.isFinite(number) ? Number(number) : null);
const together = (names, values) => Object.fromEntries(names.map((name, place) => [name, values[place]]));

function nested(values, shape) {
  if (shape.length <= 1) return values.map(plain);
  const size = values.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => nested(values.slice(i * size, (i + 1) * size), shape.slice(1)));
}

/** The probability of each class, of one row. */
export function sharesOf(target, row) {
  return row.length === 1 && target.kind === "class" ? [oneMinus(row), Number(row[0])] : Array.from(row, Number);
}

const oneMinus = (row) => (row instanceof Float32Array ? Math.fround(1 - row[0]) : 1 - row[0]);

function ofClass(target, row) {
  const shares = sharesOf(target, row);
  const known = shares.every(Number.isFinite);
  const label = known ? target.classes[shares.indexOf(Math.max(...shares))] : null;
  return { [target.name]: label, probabilities: together(target.classes, shares.map(plain)) };
}

function ofLabels(target, row) {
  const shares = sharesOf(target, row);
  const known = shares.every(Number.isFinite);
  const isThere = shares.map((share) => share > 0.5);
  const { labels, separator } = target;
  let found;
  if (separator !== null) {
    const joint = separator + (separator === "," || separator === ";" ? " " : "");
    const names = labels.filter((label, place) => isThere[place]).map((label) => label.name);
    found = { [target.name]: known ? names.join(joint) : null };
  } else {
    const words = labels.map((label, place) => (known ? (isThere[place] ? label.word : label.other) : null));
    found = together(labels.map((label) => label.column), words);
  }
  return { ...found, probabilities: together(labels.map((label) => label.name), shares.map(plain)) };
}

/**
 * Of each row what is predicted, by name.
 *
 * @param target `outputs` of `signature.json`.
 * @param output `{shape, data}` in the target's own units, or probabilities.
 */
export function named(target, output) {
  const [count, ...shape] = output.shape;
  const size = output.data.length / count;
  return Array.from({ length: count }, (_, number) => {
    const row = output.data.slice(number * size, (number + 1) * size);
    if (target.kind === "class") return ofClass(target, row);
    if (target.kind === "labels") return ofLabels(target, row);
    if (target.kind === "number") return together(target.values, Array.from(row, plain));
    return { values: nested(Array.from(row), shape) };
  });
}
