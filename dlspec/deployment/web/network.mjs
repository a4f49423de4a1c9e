/** The network in its runtime. */
import { Preprocessing } from "../serving/preprocessing.mjs";
import { byId } from "./making.mjs";

/** The bytes that stand in the page as base64; they are taken out of it. */
function taken(id) {
  const text = atob(byId(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  byId(id).remove();
  return bytes;
}

const unpacked = (bytes) =>
  new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();

export class Network {
  constructor(session, tensor, facts) {
    Object.assign(this, { session, tensor, steps: new Preprocessing(facts.preprocessing), last: Promise.resolve() });
  }

  static async open(facts) {
    const { InferenceSession, Tensor, env } = globalThis.onnxruntime;
    Object.assign(env.wasm, { numThreads: 1, proxy: false, wasmBinary: await unpacked(taken("module")) });
    env.logLevel = "error";
    const session = await InferenceSession.create(taken("model"), { executionProviders: ["wasm"], logSeverityLevel: 3 });
    return new Network(session, Tensor, facts);
  }

  /** What comes out for rows, `{shape, data}`; a row has values by the names of the inputs, nested or flat. */
  outputOf(rows) {
    const found = this.last.then(() => this.run(rows));
    this.last = found.catch(() => {});
    return found;
  }

  async run(rows) {
    const raw = Object.fromEntries(this.steps.inputs.map(({ name }) => [name, rows.map((row) => row[name])]));
    const { values, kept } = this.steps.before(raw);
    const feeds = {};
    for (const { name, dtype, data, shape } of values) feeds[name] = new this.tensor(dtype, data, shape);
    const given = await this.session.run(feeds);
    const outputs = this.session.outputNames.map((name) => given[name]);
    return this.steps.after(outputs, kept)[0];
  }
}

/** The largest difference of outputs from those of `rows.json`, as a share of the largest of these, or of 1 for probabilities. */
export function differenceOf(output, expected, kind) {
  const wanted = expected.flat(Infinity);
  if (wanted.length !== output.data.length) return Infinity;
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value ?? 0)), 0);
  const scale = kind === "class" || kind === "labels" || largest === 0 ? 1 : largest;
  let found = 0;
  wanted.forEach((value, i) => {
    const own = Number(output.data[i]);
    if (value === null ? Number.isFinite(own) : !Number.isFinite(own)) found = Infinity;
    else if (value !== null) found = Math.max(found, Math.abs(own - value) / scale);
  });
  return found;
}
