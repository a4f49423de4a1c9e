/** What a network puts out, for people. */
import { named, sharesOf } from "../serving/naming.mjs";
import { make, percent, shown } from "./making.mjs";

const MOST_BARS = 12;
const MOST_NUMBERS = 400;

/**
 * The elements of an answer.
 *
 * @param target `outputs` of `signature.json`.
 * @param output `{shape, data}` of one row.
 * @param given the numbers of the row.
 * @param still makes a picture of numbers, where the input is one.
 */
export function answerOf(target, output, given, still) {
  const [found] = named(target, output);
  if (target.kind === "class") return classes(target, output, found);
  if (target.kind === "labels") return labels(target, output, found);
  if (target.kind === "number") return numbers(target, output);
  return target.kind === "input" ? givenBack(output, given, still) : layer(target, output);
}

const big = (text, ...more) => make("p", { class: "big" }, text, ...more);
const of = (text) => make("p", { class: "of", text });

function bars(names, shares, isBest) {
  const order = shares.map((_, place) => place);
  if (shares.length > MOST_BARS) order.sort((a, b) => shares[b] - shares[a]);
  const items = order.slice(0, MOST_BARS).map((place) => {
    const bar = make("span", {});
    bar.style.width = `${100 * Math.min(1, Math.max(0, shares[place] || 0))}%`;
    const track = make("span", { class: "track", "aria-hidden": "true" }, bar);
    const cells = [make("span", { class: "name", text: names[place] }), track];
    cells.push(make("span", { class: "share", text: percent(shares[place]) }));
    return make("li", { class: isBest(place) ? "best" : null }, ...cells);
  });
  return make("ul", { class: "bars" }, ...items);
}

function classes(target, { data }, found) {
  const shares = sharesOf(target, data);
  const label = found[target.name];
  const best = label === null ? -1 : target.classes.indexOf(label);
  const share = make("small", { text: best < 0 ? "" : `  ${percent(shares[best])}` });
  return [of(target.name), big(label ?? "–", " ", share), bars(target.classes, shares, (place) => place === best)];
}

function labels(target, { data }, found) {
  const shares = sharesOf(target, data);
  const there = target.labels.filter((_, place) => shares[place] > 0.5).map(({ name }) => name);
  const names = target.labels.map(({ name }) => name);
  const said = target.separator === null ? there.join(", ") : found[target.name];
  return [of(target.name), big(said || "none of them"), bars(names, shares, (place) => shares[place] > 0.5)];
}

function numbers(target, { data }) {
  const several = target.values.length > 1;
  const items = target.values.map((name, place) => {
    const unit = make("small", { text: target.units[place] ?? "" });
    return make("div", {}, of(name), big(shown(Number(data[place])), " ", unit));
  });
  return several ? [make("div", { class: "numbers" }, ...items)] : items;
}

function figure(picture, text) {
  picture.setAttribute("aria-label", text);
  return make("figure", {}, picture, make("figcaption", { text }));
}

function givenBack({ data }, given, still) {
  const back = Array.from(data, Number);
  const off = back.reduce((sum, value, place) => sum + (value - given[place]) ** 2, 0) / back.length;
  const pictures = still ? [make("div", { class: "beside" }, figure(still(given), "given"), figure(still(back), "given back"))] : [];
  return [...pictures, of("mean squared error"), big(shown(off)), ...(still ? [] : [list(back)])];
}

function list(values) {
  const text = values.slice(0, MOST_NUMBERS).map(shown).join("  ");
  return make("pre", { text: values.length > MOST_NUMBERS ? `${text}  …` : text });
}

function layer(target, { data, shape }) {
  return [of(`${target.name}, ${shape.slice(1).join(" × ")}`), list(Array.from(data, Number))];
}
