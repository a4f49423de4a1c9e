/**
 * Raw columns -> what a network takes, and what it puts out -> the target's own units, as `preprocessing.json` says it.
 *
 * The file stands for itself, in browsers and in Node, and comes along with what dlspec exports. With `ort` being
 * onnxruntime-web or onnxruntime-node:
 *
 *     import { Preprocessing } from "./preprocessing.mjs";
 *
 *     const steps = new Preprocessing(JSON.parse(text));
 *     const { values, kept } = steps.before({ age: [[31], [64]], ward: [["west"], [""]] });
 *     const feeds = {};
 *     for (const { name, dtype, data, shape } of values) feeds[name] = new ort.Tensor(dtype, data, shape);
 *     const given = await session.run(feeds);
 *     const [predicted] = steps.after(session.outputNames.map((name) => given[name]), kept);
 *
 * It computes as `preprocessing.py` does. A value is `{dtype, shape, data}`, `data` being flat: a Float64Array, a
 * Float32Array, of words a list, of "bool" a Uint8Array. Whole numbers are computed in a Float64Array, exact up to
 * 2^53, and are a BigInt64Array or Int32Array in what the network takes.
 */

const SPACES = /[ \t\n\v\f\r]+/;
const PUNCTUATION = /[!-/:-@[-`{-~]/g;
const BROKEN = /\p{Surrogate}/gu;
const RANK = { bool: 0, uint8: 1, int32: 2, int64: 3, float32: 4, float64: 5 };

/** The words of a text: A to Z made small, without the punctuation of ASCII, cut at its spaces. */
export function wordsOf(text) {
  const plain = String(text).replace(BROKEN, "").replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return plain.replace(PUNCTUATION, "").split(SPACES).filter((word) => word !== "");
}

/** What stands between the spaces of ASCII. */
export const spacedOf = (text) => String(text).replace(BROKEN, "?").split(SPACES).filter((word) => word !== "");

const sizeOf = (shape) => shape.reduce((size, length) => size * length, 1);

function room(dtype, size) {
  if (dtype === "string") return new Array(size);
  if (dtype === "bool" || dtype === "uint8") return new Uint8Array(size);
  return dtype === "float32" ? new Float32Array(size) : new Float64Array(size);
}

/** A value of nested lists of numbers, words or, for what is missing, null. */
function valueOf(nested, dtype, shape) {
  const flat = Array.isArray(nested) ? nested.flat(Infinity) : Array.from(nested);
  const count = sizeOf(shape) === 0 ? 0 : flat.length / sizeOf(shape);
  if (!Number.isInteger(count)) throw new RangeError(`${flat.length} values do not have the shape [rows, ${shape}]`);
  const data = room(dtype, flat.length);
  for (let i = 0; i < flat.length; i++) {
    data[i] = dtype === "string" ? String(flat[i] ?? "None") : flat[i] === null ? NaN : Number(flat[i]);
  }
  return { dtype, shape: [count, ...shape], data };
}

/** The dtype in which several values are computed, as NumPy has it; a number that stands for itself has none. */
function joint(values) {
  const named = values.filter((value) => value.dtype !== undefined).map((value) => value.dtype);
  const highest = named.reduce((a, b) => (RANK[a] >= RANK[b] ? a : b));
  const whole = named.some((dtype) => dtype === "int32" || dtype === "int64");
  const loose = values.some((value) => value.dtype === undefined && !Number.isInteger(value.data[0]));
  return (highest === "float32" && whole) || (RANK[highest] < RANK.float32 && loose) ? "float64" : highest;
}

const asNumber = (value) => ({ dtype: undefined, shape: [], data: [value] });

/** The values one by one, broadcast: of each the place in its data that a place of the result is computed of. */
function broadcast(values) {
  const rank = Math.max(...values.map((value) => value.shape.length));
  const shape = Array.from({ length: rank }, (_, axis) =>
    values.reduce((length, value) => {
      const own = value.shape[axis - rank + value.shape.length] ?? 1;
      if (own !== 1 && length !== 1 && own !== length) throw new RangeError("shapes that do not fit together");
      return length === 1 ? own : length;
    }, 1),
  );
  const steps = values.map((value) => {
    const found = new Array(rank).fill(0);
    for (let axis = value.shape.length - 1, step = 1; axis >= 0; axis--) {
      if (value.shape[axis] !== 1) found[axis + rank - value.shape.length] = step;
      step *= value.shape[axis];
    }
    return found;
  });
  return { shape, steps };
}

function each(values, dtype, compute) {
  const { shape, steps } = broadcast(values);
  const data = room(dtype, sizeOf(shape));
  const at = new Array(shape.length).fill(0);
  const places = values.map(() => 0);
  const arguments_ = values.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    for (let j = 0; j < values.length; j++) arguments_[j] = values[j].data[places[j]];
    data[i] = compute(...arguments_);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis]++;
      for (let j = 0; j < places.length; j++) places[j] += steps[j][axis];
      if (at[axis] < shape[axis]) break;
      for (let j = 0; j < places.length; j++) places[j] -= steps[j][axis] * shape[axis];
      at[axis] = 0;
    }
  }
  return { dtype, shape, data };
}

/** Numbers that stand for themselves are rounded as the arrays beside them. */
function rounded(values, dtype) {
  if (dtype !== "float32") return values;
  return values.map((value) => (value.dtype === undefined ? asNumber(Math.fround(value.data[0])) : value));
}

function arithmetic(compute) {
  return (step, ...values) => {
    const dtype = joint(values);
    return each(rounded(values, dtype), dtype, compute);
  };
}

function division(step, ...values) {
  const dtype = joint(values);
  const found = RANK[dtype] < RANK.float32 ? "float64" : dtype;
  return each(rounded(values, found), found, (a, b) => a / b);
}

function comparison(compute) {
  return (step, ...values) => each(rounded(values, joint(values)), "bool", compute);
}

function onFloats(compute) {
  return (step, value) => each([value], value.dtype === "float32" ? "float32" : "float64", compute);
}

const LARGEST = { int32: 2 ** 31, int64: 2 ** 63 };

function cast(step, value) {
  const whole = step.dtype in LARGEST;
  const compute = (number) => {
    if (step.dtype === "bool") return number !== 0 ? 1 : 0;
    if (!whole) return number;
    return Number.isFinite(number) ? Math.trunc(number) : -LARGEST[step.dtype];
  };
  return each([value], step.dtype, compute);
}

/** Shape as [before, length, after] of an axis. */
function around(shape, axis) {
  const place = axis < 0 ? axis + shape.length : axis;
  return [sizeOf(shape.slice(0, place)), shape[place], sizeOf(shape.slice(place + 1)), place];
}

function take(value, axis, indices) {
  const [before, length, after, place] = around(value.shape, axis);
  const data = room(value.dtype, before * indices.length * after);
  let next = 0;
  for (let i = 0; i < before; i++) {
    for (const index of indices) {
      const first = (i * length + (index < 0 ? index + length : index)) * after;
      for (let j = 0; j < after; j++) data[next++] = value.data[first + j];
    }
  }
  const shape = [...value.shape];
  shape[place] = indices.length;
  return { dtype: value.dtype, shape, data };
}

function slice(step, value) {
  const [, length] = around(value.shape, step.axis);
  const bound = (place) => Math.min(Math.max(place < 0 ? place + length : place, 0), length);
  const [start, stop] = [bound(step.start), step.stop === null ? length : bound(step.stop)];
  const indices = Array.from({ length: Math.max(0, stop - start) }, (_, i) => start + i);
  return take(value, step.axis, indices);
}

function concatenate(step, ...parts) {
  const dtype = parts[0].dtype === "string" ? "string" : joint(parts);
  const [before, , after, place] = around(parts[0].shape, step.axis);
  const lengths = parts.map((part) => part.shape[place]);
  const shape = [...parts[0].shape];
  shape[place] = lengths.reduce((a, b) => a + b, 0);
  const data = room(dtype, sizeOf(shape));
  let next = 0;
  for (let i = 0; i < before; i++) {
    parts.forEach((part, number) => {
      const size = lengths[number] * after;
      for (let j = 0; j < size; j++) data[next++] = part.data[i * size + j];
    });
  }
  return { dtype, shape, data };
}

function reshape(step, value) {
  const known = step.into.reduce((size, length) => (length === -1 ? size : size * length), 1);
  const shape = step.into.map((length) => (length === -1 ? value.data.length / known : length));
  return { ...value, shape };
}

function max(step, value) {
  const [before, length, after, place] = around(value.shape, step.axis);
  const data = room(value.dtype, before * after).fill(-Infinity);
  for (let i = 0; i < before; i++) {
    for (let k = 0; k < length; k++) {
      for (let j = 0; j < after; j++) {
        data[i * after + j] = Math.max(data[i * after + j], value.data[(i * length + k) * after + j]);
      }
    }
  }
  const shape = [...value.shape];
  shape[place] = 1;
  return { dtype: value.dtype, shape, data };
}

const tables = new WeakMap();

/** Word -> its number, made once for each step. */
function placesOf(step, first) {
  if (!tables.has(step)) tables.set(step, new Map(step.words.map((word, number) => [word, first + number])));
  return tables.get(step);
}

function lookup(step, words) {
  const places = placesOf(step, step.first);
  if (step.blank !== null && !places.has("")) places.set("", step.blank);
  return { dtype: "int64", shape: words.shape, data: Float64Array.from(words.data, (w) => places.get(w) ?? step.unknown) };
}

function oneHot(step, numbers) {
  const rows = numbers.shape[0];
  const data = room(step.dtype, rows * step.depth);
  for (let row = 0; row < rows; row++) {
    const number = numbers.data[row];
    if (number >= 0 && number < step.depth) data[row * step.depth + number] = 1;
  }
  return { dtype: step.dtype, shape: [rows, step.depth], data };
}

const TOKENS = { words: wordsOf, characters: (text) => [...String(text)], spaced: spacedOf };

function sequence(step, texts) {
  const known = placesOf(step, 2);
  const data = room(step.dtype, texts.data.length * step.length);
  texts.data.forEach((text, row) => {
    const words = TOKENS[step.unit ?? "words"](text).slice(0, step.length);
    words.forEach((word, place) => (data[row * step.length + place] = known.get(word) ?? 1));
  });
  return { dtype: step.dtype, shape: [texts.data.length, step.length], data };
}

function bag(step, texts) {
  const known = placesOf(step, 1);
  const width = 1 + step.words.length; // the first is for unknown words
  const data = room(step.dtype, texts.data.length * width);
  texts.data.forEach((text, row) => {
    const words = wordsOf(text);
    for (let size = 1; size <= step.ngrams; size++) {
      for (let i = 0; i + size <= words.length; i++) {
        const place = known.get(words.slice(i, i + size).join(" "));
        if (place === undefined) continue;
        data[row * width + place] = step.weights === null ? 1 : data[row * width + place] + 1;
      }
    }
  });
  const found = { dtype: step.dtype, shape: [texts.data.length, width], data };
  if (step.weights === null || step.weights.length === 0) return found;
  const weights = room(step.dtype, width);
  weights.set(step.weights, 1);
  return each([found, { dtype: step.dtype, shape: [width], data: weights }], step.dtype, (a, b) => a * b);
}

const OPERATIONS = {
  add: arithmetic((a, b) => a + b),
  subtract: arithmetic((a, b) => a - b),
  multiply: arithmetic((a, b) => a * b),
  divide: division,
  greater_equal: comparison((a, b) => (a >= b ? 1 : 0)),
  less: comparison((a, b) => (a < b ? 1 : 0)),
  and: comparison((a, b) => a & b),
  where: (step, ...values) => each(values, step.dtype, (condition, a, b) => (condition ? a : b)),
  isnan: (step, value) => each([value], "bool", (a) => (Number.isNaN(a) ? 1 : 0)),
  floor: onFloats(Math.floor),
  sin: onFloats(Math.sin),
  cos: onFloats(Math.cos),
  log: onFloats(Math.log),
  exp: onFloats(Math.exp),
  cast,
  zeros_like: (step, value) => ({ ...value, data: room(value.dtype, value.data.length).fill(0) }),
  concatenate,
  slice,
  take: (step, value) => take(value, step.axis, step.indices),
  reshape,
  max,
  lookup,
  one_hot: oneHot,
  sequence,
  bag,
};

function constant(value) {
  if (typeof value !== "object") return asNumber(value);
  const flat = [value.values].flat(Infinity);
  const shape = [];
  for (let part = value.values; Array.isArray(part); part = part[0]) shape.push(part.length);
  const data = room(value.dtype, flat.length);
  flat.forEach((number, i) => (data[i] = number));
  return { dtype: value.dtype, shape, data };
}

function run(steps, kept) {
  for (const step of steps) {
    const values = step.of.map((each) => (typeof each === "string" ? kept.get(each) : constant(each)));
    kept.set(step.name, OPERATIONS[step.op](step, ...values));
  }
}

/** As the network takes it. */
function whole({ dtype, shape, data }) {
  if (dtype === "int64") return { dtype, shape, data: BigInt64Array.from(data, BigInt) };
  return { dtype, shape, data: dtype === "int32" ? Int32Array.from(data) : data };
}

/** What came out of the network, an `ort.Tensor` or a value. */
function fromNetwork(given) {
  const dtype = given.dtype ?? given.type;
  const data = given.data instanceof BigInt64Array ? Float64Array.from(given.data, Number) : given.data;
  return { dtype, shape: Array.from(given.shape ?? given.dims), data };
}

/** A value that is missing in a column that had all of them in training has no prediction. */
function checkThere(name, data) {
  const row = [...data].findIndex((value) => value === "" || Number.isNaN(value));
  if (row >= 0) throw new Error(`${name} lacks a value in row ${row + 1}, which it never did in training`);
}

/** The steps before and after a network. */
export class Preprocessing {
  /** @param record what stands in `preprocessing.json`. */
  constructor(record) {
    this.record = record;
    /** Name, dtype and shape, without the batch, of each raw input. */
    this.inputs = record.inputs;
  }

  /**
   * What the network takes of raw columns.
   *
   * @param raw lists of rows by the names of the inputs, null for a number that is missing.
   * @returns `values`, in the order of the network's inputs, each with its name; and `kept`, for `after`.
   */
  before(raw) {
    const kept = new Map();
    for (const { name, dtype, shape, may_be_missing: holes = true } of this.inputs) {
      kept.set(name, valueOf(raw[name], dtype, shape));
      if (!holes) checkThere(name, kept.get(name).data);
    }
    run(this.record.before, kept);
    const values = this.record.network_takes.map((name) => ({ name, ...whole(kept.get(name)) }));
    return { values, kept };
  }

  /** What the network puts out, a list of `ort.Tensor` or of values, in the target's own units. */
  after(outputs, kept) {
    const all = new Map(kept);
    this.record.network_gives.forEach((name, number) => all.set(name, fromNetwork(outputs[number])));
    run(this.record.after, all);
    return this.record.outputs.map((name) => all.get(name));
  }
}
