
// The page. Everything shown is made with textContent and attributes; nothing is parsed as markup.
(function () {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const most = THRESHOLDS.length;
  const entered = new Map();
  let language = "en";

  function say(key, values) {
    const text = WORDS[language][key];
    return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name]));
  }
  function number(value, digits) {
    return value.toLocaleString(language, { maximumFractionDigits: digits, minimumFractionDigits: digits });
  }
  function plain(value) {
    return value.toLocaleString(language, { maximumSignificantDigits: 6, useGrouping: false });
  }
  function about(value) {
    return value.toLocaleString(language, { maximumSignificantDigits: 3, useGrouping: false });
  }
  function percent(risk) {
    const shown = 100 * risk;
    if (shown > 0 && shown < 0.1) return "< " + number(0.1, 1) + " %";
    if (shown < 100 && shown > 99.9) return "> " + number(99.9, 1) + " %";
    return number(shown, 1) + " %";
  }
  function horizon(code) {
    const unit = { y: "year", mo: "month", d: "day" }[code.replace(/[\d.]+/, "")];
    const n = code.replace(/[a-z]+/, "");
    return n === "1" ? say(unit, {}) : say(unit + "s", { n });
  }
  function make(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    for (const child of children) node.append(child);
    return node;
  }
  function draw(tag, attributes, ...children) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    for (const child of children) node.append(child);
    return node;
  }
  function at(id) {
    return document.getElementById(id);
  }
  function words(items) {
    return items.join(", ");
  }
  function rule(name) {
    return INPUTS.find((one) => one.name === name);
  }
  function level(one, code) {
    const found = one.levels.find((pair) => pair[0] === code);
    return found ? found[1] || found[0] : code;
  }
  function unitText(unit) {
    return WORDS[language]["unit_" + unit.text] || unit.text;
  }
  function value(one, amount) {
    return one.numeric ? (plain(amount) + " " + unitText(UNITS[one.name][0])).trim() : level(one, amount);
  }

  // ---- reading ----------------------------------------------------------------------------------
  function parse(text) {
    const shown = text.trim();
    if (shown === "") return null;
    if (!/^[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?$/.test(shown)) return text;
    return Number(shown.replace(",", "."));
  }
  function amountOf(one) {
    const state = entered.get(one.name);
    if (!one.numeric) return state.code;
    const typed = parse(state.text);
    if (typeof typed !== "number") return typed;
    const unit = UNITS[one.name][state.unit];
    return unit.factor === 1 && unit.offset === 0 ? typed : unit.factor * typed + unit.offset;
  }
  function bounds(one, unit) {
    const back = (amount) => (amount - unit.offset) / unit.factor;
    const low = one.lowest > -1e50 ? plain(back(one.lowest)) : null;
    const high = one.highest < 1e50 ? plain(back(one.highest)) : null;
    if (low !== null && high !== null) return say("allowed", { low, high });
    if (low !== null) return say("allowed_low", { low });
    if (high !== null) return say("allowed_high", { high });
    return one.above === null ? "" : say("allowed_above", { low: about(back(one.above)) });
  }
  function hints(one) {
    const state = entered.get(one.name);
    const found = [];
    if (one.numeric) {
      const unit = UNITS[one.name][state.unit];
      const back = (amount) => (amount - unit.offset) / unit.factor;
      if (one.usual !== null) {
        found.push(say("usual", { low: about(back(one.usual[0])), high: about(back(one.usual[1])) }));
      }
      const possible = bounds(one, unit);
      if (possible) found.push(possible);
    }
    found.push(one.fill === null ? say("required", {}) : say("optional", { value: value(one, one.fill) }));
    return found.join("; ");
  }
  // A value that is impossible as typed, but usual in another unit.
  function otherUnit(one) {
    const state = entered.get(one.name);
    const typed = one.numeric ? parse(state.text) : null;
    if (typeof typed !== "number" || one.usual === null) return "";
    for (const [place, unit] of UNITS[one.name].entries()) {
      const amount = unit.factor * typed + unit.offset;
      if (place !== state.unit && one.usual[0] <= amount && amount <= one.usual[1]) return unitText(unit);
    }
    return "";
  }

  // ---- inputs -----------------------------------------------------------------------------------
  function numberField(one, place) {
    const state = entered.get(one.name);
    const units = UNITS[one.name];
    const id = "input-" + place;
    const box = make("div", { class: "field", id: "field-" + place });
    box.append(make("label", { class: "name", for: id }, one.label));
    const input = make("input", {
      id, type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
      "aria-describedby": "hint-" + place + " error-" + place,
    });
    input.value = state.text;
    input.addEventListener("input", () => { state.text = input.value; state.touched = true; update(); });
    const entry = make("div", { class: "entry" }, input);
    if (units.length > 1) {
      const select = make("select", { id: "unit-" + place, "aria-label": one.label + ": unit" });
      units.forEach((unit, number) => select.append(make("option", { value: number }, unitText(unit))));
      select.value = String(state.unit);
      select.addEventListener("change", () => { state.unit = Number(select.value); update(); });
      entry.append(select);
    } else if (units[0].text) {
      entry.append(make("span", { class: "unit" }, unitText(units[0])));
    }
    entry.append(make("span", { class: "read", id: "read-" + place }));
    box.append(entry, make("p", { class: "hint", id: "hint-" + place }), make("p", { class: "error", id: "error-" + place }));
    return box;
  }
  function choiceField(one, place) {
    const state = entered.get(one.name);
    const described = { "aria-describedby": "hint-" + place + " error-" + place };
    const pick = (code) => { state.code = code; state.touched = true; update(); };
    const notes = [make("p", { class: "hint", id: "hint-" + place }), make("p", { class: "error", id: "error-" + place })];
    if (one.levels.length > 4) {
      const select = make("select", { id: "input-" + place, ...described });
      select.append(make("option", { value: "" }, say("choose", {})));
      one.levels.forEach(([code, label], number) => select.append(make("option", { value: number + 1 }, label || code)));
      select.value = state.code === null ? "" : String(1 + one.levels.findIndex((pair) => pair[0] === state.code));
      select.addEventListener("change", () => pick(select.value === "" ? null : one.levels[Number(select.value) - 1][0]));
      const box = make("div", { class: "field", id: "field-" + place });
      box.append(make("label", { class: "name", for: "input-" + place }, one.label), make("div", { class: "entry" }, select), ...notes);
      return box;
    }
    const box = make("fieldset", { class: "field", id: "field-" + place, ...described });
    const choices = make("div", { class: "choices" });
    const options = one.levels.map(([code, label]) => [code, label || code]);
    if (one.fill !== null) options.push([null, say("not_known", {})]);
    options.forEach(([code, label], number) => {
      const radio = make("input", { type: "radio", name: "choice-" + place, value: number, id: "input-" + place + "-" + number });
      radio.checked = state.code === code && (code !== null || state.touched);
      radio.addEventListener("change", () => pick(code));
      choices.append(make("label", {}, radio, label));
    });
    box.append(make("legend", {}, one.label), choices, ...notes);
    return box;
  }
  function build() {
    const parent = at("inputs");
    parent.replaceChildren(
      ...INPUTS.map((one, place) => (one.numeric ? numberField(one, place) : choiceField(one, place)))
    );
  }

  // ---- result -----------------------------------------------------------------------------------
  function polar(points, radius) {
    const angle = Math.PI * (1 - points / most);
    return [160 + radius * Math.cos(angle), 150 - radius * Math.sin(angle)];
  }
  function arc(first, last, radius) {
    const [x1, y1] = polar(first, radius);
    const [x2, y2] = polar(last, radius);
    return "M" + x1 + " " + y1 + "A" + radius + " " + radius + " 0 0 1 " + x2 + " " + y2;
  }
  const SHADES = ["#9cc9e8", "#4f97c9", "#e8b04a", "#d9772b", "#a8380f"];
  function shade(place, count) {
    return SHADES[count === 1 ? 0 : Math.round((place * (SHADES.length - 1)) / (count - 1))];
  }
  function gauge(points, group) {
    const picture = draw("svg", { viewBox: "0 0 320 205", role: "img", "aria-label": say("gauge", { points, most }) + ", " + group });
    GROUPS.forEach(([, first, last], place) => {
      const low = Math.max(0, first - 0.5);
      const high = Math.min(most, last + 0.5);
      if (high > low) {
        picture.append(draw("path", { d: arc(low, high, 118), fill: "none", stroke: shade(place, GROUPS.length), "stroke-width": 24 }));
      }
    });
    const step = most <= 12 ? 1 : Math.ceil(most / 10);
    for (let tick = 0; tick <= most; tick += step) {
      const [x, y] = polar(tick, 141);
      picture.append(draw("text", { x, y: y + 4, "text-anchor": "middle", "font-size": 12, fill: "#16202b" }, String(tick)));
    }
    const [x, y] = polar(points, 104);
    picture.append(
      draw("line", { x1: 160, y1: 150, x2: x, y2: y, stroke: "#16202b", "stroke-width": 4, "stroke-linecap": "round" }),
      draw("circle", { cx: 160, cy: 150, r: 7, fill: "#16202b" }),
      draw("text", { x: 160, y: 178, "text-anchor": "middle", "font-size": 22, "font-weight": 700, fill: "#16202b" },
        say("of_points", { points, most })),
      draw("text", { x: 160, y: 198, "text-anchor": "middle", "font-size": 14, fill: "#16202b" }, say("group", {}) + ": " + group)
    );
    return picture;
  }
  function figures(risk) {
    const filled = Math.round(100 * risk);
    const picture = draw("svg", { viewBox: "0 0 110 110", role: "img", "aria-label": say("array", { n: filled }) });
    for (let one = 0; one < 100; one += 1) {
      const on = one < filled;
      picture.append(draw("circle", {
        cx: 8 + 10.4 * (one % 10), cy: 8 + 10.4 * Math.floor(one / 10), r: 4,
        fill: on ? "#a8380f" : "#fff", stroke: on ? "#a8380f" : "#76879a",
      }));
    }
    return picture;
  }
  function riskBlock(code, risk, points) {
    const filled = Math.round(100 * risk);
    const key = filled === 0 ? "of_100_none" : filled === 1 ? "of_100_one" : "of_100";
    const block = make("div", { class: "risk" },
      make("div", {}, make("div", { class: "number" }, percent(risk)), make("div", { class: "by" }, say("by", { horizon: horizon(code) }))),
      figures(risk),
      make("p", { class: "words" }, say(key, { n: filled, horizon: horizon(code) })));
    const seen = RISK_TABLE.find((row) => row.code === code && row.points === points);
    if (seen && seen.observed !== null && seen.lower !== null && seen.n !== null) {
      const named = points + " " + say(points === 1 ? "point" : "points", {});
      block.append(make("p", { class: "words hint" }, say("observed", {
        points: named, observed: number(100 * seen.observed, 1), lower: number(100 * seen.lower, 1),
        upper: number(100 * seen.upper, 1), n: number(seen.n, 0),
      })));
    }
    return block;
  }
  function bars(found) {
    const rows = Object.entries(found.contributions).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    const widest = Math.max(1e-9, ...rows.map((row) => Math.abs(row[1])));
    return rows.map(([name, part]) => {
      const one = rule(name);
      const length = (95 * Math.abs(part)) / widest;
      const raises = part > 0;
      const still = Math.abs(part) < 5e-4;
      const picture = draw("svg", { viewBox: "0 0 200 16", preserveAspectRatio: "none", "aria-hidden": "true" },
        draw("rect", { x: raises ? 100 : 100 - length, y: 2, width: length, height: 12, fill: raises ? "#b3470e" : "#0b6e8a" }),
        draw("line", { x1: 100, y1: 0, x2: 100, y2: 16, stroke: "#16202b", "stroke-width": 1 }));
      const direction = still ? "neutral" : raises ? "raises" : "lowers";
      return make("div", { class: "bar" },
        make("div", { class: "what" }, one.label + ": " + value(one, found.used[name])),
        picture,
        make("div", { class: "much" }, say(direction, {}) + ", " + say("hazard", { factor: number(Math.exp(part), 2) })));
    });
  }
  function remark(entry) {
    const one = rule(entry.predictor);
    const values = { input: one.label, value: one.fill === null ? "" : value(one, one.fill) };
    return make("p", { class: "banner" }, say(entry.flag, values));
  }
  function shownNotices() {
    const found = [];
    if (ABOUT.status === "withdrawn") found.push(["bad", say("withdrawn", {})]);
    else if (ABOUT.status === "superseded") {
      found.push(["bad", say("superseded", { by: ABOUT.superseded_by ? say("by_successor", { name: ABOUT.superseded_by }) : "" })]);
    } else if (ABOUT.status !== "active") found.push(["", say("not_active", { status: ABOUT.status })]);
    if (ABOUT.review_by && new Date().toISOString().slice(0, 10) > ABOUT.review_by) {
      found.push(["bad", say("review", { date: ABOUT.review_by })]);
    }
    return found.map(([kind, text]) => make("p", { class: "banner " + kind }, text));
  }
  function problems(found) {
    const wrong = new Map(found.refusals.map((entry) => [entry.predictor, entry.flag]));
    INPUTS.forEach((one, place) => {
      const state = entered.get(one.name);
      const problem = wrong.get(one.name);
      const shown = problem && (problem !== "missing" || state.touched);
      const key = problem === "invalid" && !one.numeric ? "invalid_level" : problem;
      const other = problem === "out_of_range" ? otherUnit(one) : "";
      at("error-" + place).textContent = shown
        ? say(key, {}) + (other ? " " + say("other_unit", { unit: other }) : "") : "";
      at("field-" + place).classList.toggle("wrong", Boolean(shown));
      const input = at("input-" + place);
      if (input) input.setAttribute("aria-invalid", shown ? "true" : "false");
      at("hint-" + place).textContent = hints(one);
      const read = at("read-" + place);
      if (read) {
        const amount = amountOf(one);
        const told = typeof amount === "number" && (state.unit > 0 || state.text.includes(","));
        read.textContent = told ? say("read_as", { value: value(one, amount) }) : "";
      }
    });
    return wrong;
  }
  function update() {
    const values = {};
    for (const one of INPUTS) values[one.name] = amountOf(one);
    const found = score(values);
    const wrong = problems(found);
    const ok = found.status === "ok" && INPUTS.some((one) => entered.get(one.name).touched);
    at("answer").hidden = !ok;
    at("waiting").hidden = ok;
    document.querySelectorAll("tr[data-points]").forEach((row) => {
      row.classList.toggle("now", ok && row.dataset.points === String(found.points));
    });
    if (!ok) {
      const lacking = INPUTS.filter((one) => wrong.get(one.name) === "missing" || (!wrong.size && !entered.get(one.name).touched));
      const bad = INPUTS.filter((one) => wrong.has(one.name) && wrong.get(one.name) !== "missing");
      const text = bad.length ? say("wrong", { wrong: words(bad.map((one) => one.label)) })
        : say("waiting", { missing: words(lacking.map((one) => one.label)) });
      at("waiting").replaceChildren(make("p", {}, text));
      at("live").textContent = bad.length ? text : "";
      return;
    }
    found.used = {};
    for (const one of INPUTS) found.used[one.name] = values[one.name] === null ? one.fill : values[one.name];
    at("gauge").replaceChildren(gauge(found.points, found.risk_group));
    at("risks").replaceChildren(...HORIZONS.map(([code]) => riskBlock(code, found.risk[code], found.points)));
    at("remarks").replaceChildren(...found.warnings.map(remark));
    at("bars").replaceChildren(...bars(found));
    const risks = HORIZONS.map(([code]) => percent(found.risk[code]) + " " + say("by", { horizon: horizon(code) }));
    at("live").textContent = say("live", { points: found.points, most, group: found.risk_group, risks: words(risks) });
  }

  // ---- start ------------------------------------------------------------------------------------
  function translate() {
    document.documentElement.lang = language;
    document.querySelectorAll("[data-say]").forEach((node) => { node.textContent = say(node.dataset.say, {}); });
    document.querySelectorAll("[data-language]").forEach((node) => {
      node.setAttribute("aria-pressed", String(node.dataset.language === language));
    });
    at("notices").replaceChildren(...shownNotices());
  }
  function reset() {
    for (const one of INPUTS) entered.set(one.name, { text: "", unit: 0, code: null, touched: false });
  }
  function start() {
    let checked = 0;
    try {
      checked = selfCheck();
    } catch (error) {
      translate();
      document.querySelector(".columns").replaceChildren(make("p", { class: "banner bad", role: "alert", id: "failed" }, say("failed", {})));
      return;
    }
    const show = () => {
      translate();
      at("checked").textContent = say("checked", { n: checked });
      build();
      update();
    };
    reset();
    document.querySelectorAll("[data-language]").forEach((node) => {
      node.addEventListener("click", () => { language = node.dataset.language; show(); });
    });
    at("clear").addEventListener("click", () => { reset(); build(); update(); });
    at("print").addEventListener("click", () => window.print());
    if ((navigator.language || "").toLowerCase().startsWith("fr")) language = "fr";
    show();
  }
  start();
})();
