"use strict";
// What is looked at, and how far; everything on the page is drawn from it.
const content = JSON.parse(document.getElementById("content").textContent);
const at = id => document.getElementById(id);
const shown = {job: null, neuron: "", cycle: null, time: null, panels: [], from: 0, to: 1, point: 0};
const HEIGHT = 150, LEFT = 66, RIGHT = 8, GAP = 26, CELL = 16;

// --- numbers and elements --------------------------------------------------------------------

function quantity(value, unit) {
  if (unit === "1" || unit === "") return String(Number(value.toPrecision(6)));
  const power = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)) / 3 + 1e-9);
  if (power < -6 || power > 4) return `${Number(value.toPrecision(6))} ${unit}`;
  const prefix = {"-6": "a", "-5": "f", "-4": "p", "-3": "n", "-2": "µ", "-1": "m", "0": "", "1": "k", "2": "M", "3": "G", "4": "T"}[power];
  return `${Number((value / 10 ** (3 * power)).toPrecision(6))} ${prefix}${unit}`;
}

function svg(name, attributes, parent, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

function html(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), each => each.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Float64Array(await new Response(stream).arrayBuffer());
}

// Index of the point of time nearest to a moment.
function nearest(time, moment) {
  let low = 0, high = time.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (time[middle] <= moment) low = middle; else high = middle;
  }
  return moment - time[low] <= time[high] - moment ? low : high;
}

// --- picking ---------------------------------------------------------------------------------

const unique = values => [...new Set(values)];
const jobsOf = (layer, window) => content.jobs.filter(job => job.layer === layer && job.window === window);

function fill(select, choices, wanted) {
  select.replaceChildren(...choices.map(([value, text]) => html("option", {value, textContent: text ?? value})));
  select.value = choices.some(([value]) => value === wanted) ? wanted : choices[0]?.[0];
  select.disabled = choices.length < 2;
}

// Neurons of a window by their number in the layer, and what belongs to no neuron.
function owners(jobs) {
  const found = [];
  for (const job of jobs) {
    const numbers = unique([...(job.events ? job.events.neuron : []), ...Object.keys(job.panels).filter(key => key !== "").map(Number)]);
    for (const number of numbers.sort((a, b) => a - b)) {
      const kept = job.panels[number] ? "" : " (no waveforms)";
      found.push([`${job.name}|${number}`, `${job.first + number}${kept}`]);
    }
    if (job.panels[""]) found.push([`${job.name}|`, `all of ${job.name.split("/").at(-1)}`]);
  }
  return found;
}

function pickLayer() {
  const windows = unique(content.jobs.filter(job => job.layer === at("layer").value).map(job => job.window));
  fill(at("window"), windows.map(name => [name]), at("window").value);
  return pickWindow();
}

function pickWindow() {
  const found = owners(jobsOf(at("layer").value, at("window").value));
  const kept = found.find(([, text]) => !text.endsWith("(no waveforms)"));
  fill(at("neuron"), found.length ? found : [["|", "none"]], kept?.[0]);
  return pickNeuron();
}

async function pickNeuron() {
  const bar = at("neuron").value.lastIndexOf("|");
  shown.job = content.jobs.find(job => job.name === at("neuron").value.slice(0, bar)) ?? jobsOf(at("layer").value, at("window").value)[0];
  shown.neuron = at("neuron").value.slice(bar + 1);
  const cycles = shown.job.events ? unique(shown.job.events.cycle) : [];
  fill(at("cycle"), [["", "all"], ...cycles.map(cycle => [String(cycle)])], at("cycle").value);
  const job = shown.job, panels = job.panels[shown.neuron] ?? [];
  const time = await unpacked(job.time);
  const unpack = async signal => ({name: signal.name.replace(/^neuron\d+\./, ""), values: await unpacked(signal.data)});
  shown.panels = await Promise.all(panels.map(async panel => ({...panel, signals: await Promise.all(panel.signals.map(unpack))})));
  shown.time = time;
  const none = shown.panels.length === 0;
  at("none").hidden = !none;
  at("none").textContent = `No waveforms are kept of neuron ${job.first + Number(shown.neuron)}: simulate with --keep all, or name it with --neurons.`;
  at("waves").hidden = none;
  pickCycle();
}

function pickCycle() {
  const cycle = at("cycle").value;
  shown.cycle = cycle === "" ? null : Number(cycle);
  drawRaster();
  showEvent();
  if (!shown.panels.length) return;
  const start = shown.job.begin + (shown.cycle ?? 0) * shown.job.cycle_time;
  if (shown.cycle === null) zoom(shown.time[0], shown.time.at(-1));
  else zoom(start, start + shown.job.cycle_time);
  moveTo(nearest(shown.time, (shown.from + shown.to) / 2));
}

// --- spikes ----------------------------------------------------------------------------------

function drawRaster() {
  const jobs = jobsOf(shown.job.layer, shown.job.window).filter(job => job.events);
  at("spikes").hidden = jobs.length === 0;
  if (!jobs.length) return;
  const cells = jobs.flatMap(job => job.events.spike.map((spike, index) => ({
    job, cycle: job.events.cycle[index], local: job.events.neuron[index],
    slow: spike > 0, fast: job.events.model_spike ? job.events.model_spike[index] > 0 : null,
  })));
  const place = cell => [LEFT + (cell.job.first + cell.local) * CELL, cell.cycle * CELL];
  const cycles = Math.max(...cells.map(cell => cell.cycle)) + 1;
  const neurons = Math.max(...cells.map(cell => cell.job.first + cell.local)) + 1;
  const raster = at("raster");
  raster.replaceChildren();
  raster.setAttribute("width", LEFT + neurons * CELL + 4);
  raster.setAttribute("height", cycles * CELL + 36);
  for (const cell of cells) {
    const [x, y] = place(cell);
    const box = svg("rect", {class: "cell", x: x + 1, y: y + 1, width: CELL - 2, height: CELL - 2}, raster);
    box.addEventListener("click", () => choose(cell));
    const centre = {cx: x + CELL / 2, cy: y + CELL / 2, "pointer-events": "none"};
    if (cell.slow) svg("circle", {class: "slow", r: 3.5, ...centre}, raster);
    if (cell.fast) svg("circle", {class: "fast", r: 6, ...centre}, raster);
    if (cell.job === shown.job && String(cell.local) === shown.neuron && (shown.cycle === null || shown.cycle === cell.cycle))
      svg("rect", {class: "chosen", x, y, width: CELL, height: CELL, "pointer-events": "none"}, raster);
  }
  svg("text", {x: 2, y: 12}, raster, "cycle 0");
  for (let neuron = 0; neuron < neurons; neuron += 4) svg("text", {x: LEFT + (neuron + .5) * CELL, y: cycles * CELL + 14, "text-anchor": "middle"}, raster, neuron);
  svg("text", {x: LEFT, y: cycles * CELL + 30}, raster, "neuron");
  const slow = cells.filter(cell => cell.slow).length, fast = cells.filter(cell => cell.fast).length;
  const differ = cells.filter(cell => cell.fast !== null && cell.fast !== cell.slow).length;
  const words = [`Dots: ${slow} spikes of ${cells.length} events in the circuit.`];
  words.push(cells.some(cell => cell.fast !== null) ? `Rings: ${fast} of the closed form with the same draws; ${differ} differ.` : "The file does not hold the closed form of these events.");
  at("spikes-words").textContent = words.join(" ");
}

function choose(cell) {
  at("neuron").value = `${cell.job.name}|${cell.local}`;
  pickNeuron().then(() => { at("cycle").value = String(cell.cycle); pickCycle(); });
}

function showEvent() {
  const events = shown.job.events;
  const index = events && shown.cycle !== null ? events.cycle.findIndex((cycle, i) => cycle === shown.cycle && String(events.neuron[i]) === shown.neuron) : -1;
  const facts = index < 0 ? [] : [
    ["drive", quantity(events.drive[index], "V")], ["draw E", quantity(events.threshold[index], "1")],
    ["hazard integral H", quantity(events.hazard[index], "1")], ["spike", events.spike[index] ? "yes" : "no"],
    ...(events.model_hazard ? [["H in closed form", quantity(events.model_hazard[index], "1")], ["spike in closed form", events.model_spike[index] ? "yes" : "no"]] : []),
  ];
  at("event").replaceChildren(...facts.map(([name, value]) => html("div", {}, html("dt", {textContent: name}), html("dd", {textContent: value}))));
}

// --- waveforms -------------------------------------------------------------------------------

const width = () => Math.max(at("plot").clientWidth, LEFT + RIGHT + 50);
const x = moment => LEFT + (moment - shown.from) / (shown.to - shown.from) * (width() - LEFT - RIGHT);
const moment = place => shown.from + (place - LEFT) / (width() - LEFT - RIGHT) * (shown.to - shown.from);

// Round steps for some five marks between two values.
function marks(low, high, count = 5) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find(each => each * power >= rough) * power;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9 * step; value += step) found.push(Math.abs(value) < 1e-9 * step ? 0 : value);
  return found;
}

// First, least, largest and last value that falls on each column of the screen.
function line(values, y) {
  const time = shown.time, from = Math.max(0, nearest(time, shown.from) - 1), to = Math.min(time.length - 1, nearest(time, shown.to) + 1);
  const parts = [];
  let column = null, seen = [];
  const flush = () => { for (const value of unique(seen)) parts.push(`${column},${y(value).toFixed(2)}`); };
  for (let index = from; index <= to; index++) {
    const place = x(time[index]).toFixed(1);
    if (place !== column) { flush(); column = place; seen = []; }
    seen.push(values[index]);
    if (seen.length > 4) seen = [seen[0], Math.min(...seen), Math.max(...seen), seen.at(-1)];
  }
  flush();
  return `M${parts.join("L")}`;
}

function drawWaves() {
  const total = width(), plot = svg("svg", {width: total, height: shown.panels.length * (HEIGHT + GAP) + 22});
  const clip = svg("clipPath", {id: "inside"}, svg("defs", {}, plot));
  svg("rect", {x: LEFT, y: -5, width: total - LEFT - RIGHT, height: HEIGHT + 10}, clip);
  shown.panels.forEach((panel, number) => {
    drawPanel(svg("g", {transform: `translate(0 ${number * (HEIGHT + GAP) + 18})`}, plot), panel, total);
  });
  for (const mark of marks(shown.from, shown.to, Math.max(2, total / 160)))
    svg("text", {x: x(mark), y: shown.panels.length * (HEIGHT + GAP) + 10, "text-anchor": "middle"}, plot, quantity(mark, "s"));
  svg("line", {class: "cursor", y1: 0, y2: shown.panels.length * (HEIGHT + GAP)}, plot);
  svg("rect", {class: "chosen", y: 0, height: shown.panels.length * (HEIGHT + GAP), width: 0}, plot);
  at("plot").replaceChildren(plot);
}

function drawPanel(group, panel, total) {
  const every = panel.signals.flatMap(signal => [low(signal.values), high(signal.values)]);
  let [least, most] = [Math.min(...every), Math.max(...every)];
  const room = (most - least || Math.abs(most) || 1) * .06;
  [least, most] = [least - room, most + room];
  const y = value => HEIGHT - (value - least) / (most - least) * HEIGHT;
  const inside = svg("g", {"clip-path": "url(#inside)"}, group);
  for (const [name, start, stop] of shown.job.phases) {
    if (stop < shown.from || start > shown.to) continue;
    svg("rect", {class: `phase ${name}`, x: x(start), y: 0, width: Math.max(0, x(stop) - x(start)), height: HEIGHT}, inside);
  }
  for (const mark of marks(least, most)) {
    svg("line", {class: "grid", x1: LEFT, x2: total - RIGHT, y1: y(mark), y2: y(mark)}, group);
    svg("text", {x: LEFT - 6, y: y(mark) + 4, "text-anchor": "end"}, group, quantity(mark, panel.unit));
  }
  svg("rect", {class: "frame", x: LEFT, y: 0, width: total - LEFT - RIGHT, height: HEIGHT}, group);
  const key = svg("text", {x: LEFT, y: -5}, group, panel.quantity);
  panel.signals.forEach((signal, index) => {
    signal.colour = `var(--c${index % 7})`;
    svg("tspan", {style: `fill: ${signal.colour}; font-weight: 600`, dx: 8}, key, signal.name);
    svg("path", {d: line(signal.values, y), style: `stroke: ${signal.colour}`}, inside);
  });
}

const low = values => values.reduce((a, b) => Math.min(a, b), Infinity);
const high = values => values.reduce((a, b) => Math.max(a, b), -Infinity);

function zoom(from, to) {
  const first = shown.time[0], last = shown.time.at(-1), least = (last - first) * 1e-7;
  const span = Math.min(Math.max(to - from, least), last - first);
  shown.from = Math.min(Math.max(from, first), last - span);
  shown.to = shown.from + span;
  drawWaves();
  showValues();
}

function scale(factor, centre = shown.time[shown.point]) {
  zoom(centre - (centre - shown.from) * factor, centre + (shown.to - centre) * factor);
}

function along(share) {
  const span = shown.to - shown.from;
  zoom(shown.from + share * span, shown.to + share * span);
}

function moveTo(point) {
  shown.point = Math.min(Math.max(point, 0), shown.time.length - 1);
  const now = shown.time[shown.point], span = shown.to - shown.from;
  if (now < shown.from || now > shown.to) zoom(now - span / 2, now + span / 2);
  showValues();
}

function showValues() {
  const now = shown.time[shown.point], mark = at("plot").querySelector(".cursor");
  mark.setAttribute("x1", x(now));
  mark.setAttribute("x2", x(now));
  at("at").textContent = quantity(now, "s");
  at("at").dataset.value = now;
  const phase = shown.job.phases.find(([, start, stop]) => now >= start && now <= stop);
  at("phase").textContent = `point ${shown.point + 1} of ${shown.time.length}${phase ? `, ${phase[0]}` : ""}`;
  const rows = shown.panels.flatMap(panel => panel.signals.map(signal => {
    const value = signal.values[shown.point], swatch = html("span", {className: "swatch"});
    swatch.style.background = signal.colour;
    const cell = html("td", {className: "n", textContent: quantity(value, panel.unit), title: `${value} ${panel.unit}`});
    cell.dataset.value = value;
    return html("tr", {}, html("td", {}, swatch, signal.name), cell);
  }));
  at("values").tBodies[0].replaceChildren(...rows);
}

// --- mouse and keys --------------------------------------------------------------------------

function listen() {
  at("layer").addEventListener("change", pickLayer);
  at("window").addEventListener("change", pickWindow);
  at("neuron").addEventListener("change", pickNeuron);
  at("cycle").addEventListener("change", pickCycle);
  const whole = () => zoom(shown.time[0], shown.time.at(-1));
  const buttons = {in: () => scale(.5), out: () => scale(2), left: () => along(-.5), right: () => along(.5), all: whole};
  for (const [id, act] of Object.entries(buttons)) at(id).addEventListener("click", act);
  const keys = {
    ArrowLeft: shift => moveTo(shown.point - (shift ? 20 : 1)), ArrowRight: shift => moveTo(shown.point + (shift ? 20 : 1)),
    "+": () => scale(.5), "=": () => scale(.5), "-": () => scale(2), PageUp: () => along(-.5), PageDown: () => along(.5), Home: whole,
  };
  at("plot").addEventListener("keydown", event => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    keys[event.key](event.shiftKey);
    event.preventDefault();
  });
  let start = null;
  const place = event => event.clientX - at("plot").getBoundingClientRect().left;
  at("plot").addEventListener("pointerdown", event => { start = place(event); });
  at("plot").addEventListener("pointermove", event => {
    moveTo(nearest(shown.time, Math.min(Math.max(moment(place(event)), shown.from), shown.to)));
    const chosen = at("plot").querySelector("rect.chosen");
    chosen.setAttribute("x", start === null ? 0 : Math.min(start, place(event)));
    chosen.setAttribute("width", start === null ? 0 : Math.abs(place(event) - start));
  });
  addEventListener("pointerup", event => {
    if (start !== null && Math.abs(place(event) - start) > 8) zoom(...[moment(start), moment(place(event))].sort((a, b) => a - b));
    start = null;
  });
  at("plot").addEventListener("dblclick", whole);
  addEventListener("resize", () => { if (shown.panels.length) { drawWaves(); showValues(); } });
}

fill(at("layer"), unique(content.jobs.map(job => job.layer)).map(name => [name]));
listen();
pickLayer();
