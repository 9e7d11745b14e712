// Prosperity indices: the line with its turning points and bands, the cycle clock, what each component adds.

import { get } from "../api.js";
import { bars } from "../charts/bars.js";
import { clock } from "../charts/clock.js";
import { course } from "../charts/course.js";
import { escaped, number, shown, table } from "../html.js";
import { called, choice, heading, origin, Told } from "../readings.js";

const FLOOR = ["base", "trend"];
const WORDS = {
  en: {
    indices: "Indices", clock: "Cycle clock", clock_says: "The newest 36 months; the large dot is the last.",
    no_clock: "No clock: it needs two years of months.", turns_say: "Turning points by BBQ over the months shown; an empty triangle may still be withdrawn.",
  },
  zh: {
    indices: "景气指数", clock: "周期时钟", clock_says: "最近 36 个月；大圆点为最新月份。",
    no_clock: "无周期时钟：至少需要两年月度数据。", turns_say: "拐点按 BBQ 方法在图示月份内判定；空心三角仍可能撤回。",
  },
};

export default {
  name: "indices",
  kind: "index",
  route: "/v1/indices/{id}",
  first: "coincident",
  words: WORDS,

  async load({ target, asof }) {
    const answer = await get(called("indices/{id}", target, { asof, months: 120 }));
    const { cycle } = await get(called("indices/{id}/cycle", target, { asof }));
    const told = new Told(answer);
    return { told, cycle, synthetic: told.synthetic };
  },

  draw(page) {
    const { say, choice: chosen, data: { told, cycle } } = page;
    const unit = told.units.includes(chosen.unit) ? chosen.unit : told.units[0];
    const rows = cycle.filter((r) => r.unit === unit);
    const turns = new Map(rows.filter((r) => r.turn).map((r) => [r.period, r]));
    const { target, asof } = told.answer;
    const beside = { ...page, width: page.width > 900 ? page.width - 480 - 60 : page.width };
    const round = clock(page, rows, say("clock"));
    return `<section>${heading(page, told.answer)}${choice(page, told, told.units, unit)}
      ${course(page, told.course(unit), say("index"), { turns })}${turns.size ? `<p class="soft">${say("turns_say")}</p>` : ""}
      ${origin(page, told.answer, [called("indices/{id}", target, { asof, months: 120 }), called("indices/{id}/cycle", target, { asof })])}</section>
      <div class="pair"><section><h3>${say("clock")}</h3><p class="soft">${say(round ? "clock_says" : "no_clock")}</p>${round}</section>${added(beside, told, unit)}</div>`;
  },
};

// What each part adds to the newest index.
export function added(page, told, unit) {
  const { say } = page;
  const { period, rows } = told.parts(unit);
  if (!rows.length) return "";
  const named = rows.map((r) => ({ ...r, name: told.called(page, r.name), is: r.name }));
  const floor = named.filter((r) => FLOOR.includes(r.is)); // too long beside what moves
  const title = say("adds")(period);
  const beside = floor.length ? `<p class="soft">${floor.map((r) => `${escaped(r.name)} ${number(r.value)}`).join(" · ")}</p>` : "";
  return `<section><h3>${escaped(title)}</h3>${beside}${bars(page, named.filter((r) => !FLOOR.includes(r.is)), title)}
    ${table(say, [say("component"), say("value")], named.map((r) => [escaped(r.name), shown(r.value)]))}</section>`;
}
