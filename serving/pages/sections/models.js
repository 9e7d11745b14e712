// The registry: what there is, and which version answers.

import { get } from "../api.js";
import { escaped, path } from "../html.js";

const WORDS = {
  en: { models: "Models", title: "Registered models", kind: "kind", champion: "champion", versions: "versions", made: "made", none: "none yet",
    empty: "The registry is empty: jingqi experiment run SPEC.", nowcast: "nowcast", warning: "warning", scorecard: "scorecard", monitor: "monitor", forecast: "forecast" },
  zh: { models: "模型", title: "已注册模型", kind: "类别", champion: "现任", versions: "版本数", made: "注册时间", none: "尚无",
    empty: "模型库为空：先运行 jingqi experiment run SPEC。", nowcast: "现时预测", warning: "预警", scorecard: "评价", monitor: "监测", forecast: "预测" },
};

export default {
  name: "models",
  kind: "",
  route: "/v1/models",
  words: WORDS,

  async load({ models }) {
    const versions = await Promise.all(models.map((m) => get(`v1/models/${encodeURIComponent(m.name)}/versions`)));
    return { models: models.map((m, k) => ({ ...m, own: versions[k].versions.find((v) => v.version === m.champion) })), synthetic: false };
  },

  draw({ say, zh, data }) {
    const rows = data.models.map((m) => {
      const title = m.own?.tags[zh ? "title_zh" : "title_en"];
      return `<tr><th scope="row">${escaped(title || m.target || m.name)}<small>${escaped(m.name)}</small></th><td>${escaped(say(m.kind))}</td>
        <td>${m.champion ? `${escaped(m.champion)}<small>${escaped(m.own?.tags.label ?? "")}</small>` : say("none")}</td>
        <td><a href="${path(`v1/models/${encodeURIComponent(m.name)}/versions`)}">${m.versions}</a></td><td>${m.own ? m.own.created.slice(0, 10) : ""}</td></tr>`;
    });
    const head = ["model", "kind", "champion", "versions", "made"].map((w) => `<th scope="col">${say(w)}</th>`).join("");
    const body = rows.length ? `<div class="wide"><table class="models"><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div>` : `<p>${say("empty")}</p>`;
    return `<section><h2 id="title">${say("title")}</h2>${body}<footer><div>${say("same")} <a href="v1/models">GET /v1/models</a></div></footer></section>`;
  },
};
