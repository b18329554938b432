"use strict";

// Shows the images of DATA. What is loaded from beside the page comes as scripts that call
// birdview.receive: from the file system, nothing else may be read.

const KEPT = 24; // decoded images
const AHEAD = 4; // images that are loaded before they are shown
const OUTLIER = 6; // as many times the usual deviation from the median is worth a look
const NOTABLE = 60; // scans in the list of those
const COUNTS = [["drawn", "points drawn"], ["cells", "cells with a point"],
                ["outside", "points outside"], ["nonfinite", "not finite"]];

const $ = (id) => document.getElementById(id);
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
const ZOOMS = [0.001, 2000]; // pixels per metre, least and most
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
// A matrix of two lines, as of the encodings, times (u, v, 1).
const transform = (matrix, u, v) => matrix.map(([a, b, c]) => a * u + b * v + c);
const encodings = new Map(DATA.encodings.map((encoding) => [encoding.encoding, encoding]));
const last = DATA.scans.length - 1;

const state = {
  index: 0, encoding: DATA.encodings[0].encoding, beside: "", mode: "all", turn: "ahead",
  gamma: DATA.gamma,
  view: null, // {x, y} in metres in the middle, and zoom: pixels per metre
  cursor: null, // {x, y} in metres, and over which pane; null: in the middle of the view
  off: new Map(), one: new Map(), playing: false, direction: 1,
};
// The planes that are not painted unless one asks for them.
const usuallyOff = ({ colours }) => new Set(colours.flatMap((colour, k) => (colour ? [] : [k])));
for (const [name, encoding] of encodings) {
  state.off.set(name, usuallyOff(encoding));
  state.one.set(name, 0);
}

// ---------------------------------------------------------------- what is loaded

const counts = new Map(); // encoding -> for each scan an array of counts, or its error
const asked = new Map(); // encoding -> promise of these
const images = new Map(); // "encoding/index" -> promise of what decode() returns
const waiting = new Map(); // what is asked for -> how to hand it over

const birdview = {
  receive(kind, encoding, ...rest) {
    const key = kind === "image" ? `${encoding}/${rest[0]}` : `${encoding}/counts`;
    waiting.get(key)?.(rest.at(-1));
    waiting.delete(key);
  },
};

function fetchScript(key) {
  return new Promise((resolve, reject) => {
    const before = waiting.get(key); // asked for twice: both are to have it
    waiting.set(key, (data) => { before?.(data); resolve(data); });
    const script = make("script", { src: `${key}.js` });
    script.onload = script.onerror = () => {
      script.remove();
      reject(new Error(`${key}.js cannot be loaded`)); // unless it was received
    };
    document.head.append(script);
  });
}

function loadCounts(encoding) {
  if (!asked.has(encoding)) {
    asked.set(encoding, fetchScript(`${encoding}/counts`).then((results) => {
      counts.set(encoding, results);
      return results;
    }));
  }
  return asked.get(encoding);
}

function loadImage(encoding, index) {
  const key = `${encoding}/${index}`;
  const image = images.get(key) ?? fetchScript(key).then((data) => decode(data, encodings.get(encoding)));
  images.delete(key); // it goes to the end: the first is the one that was not used longest
  images.set(key, image);
  image.catch(() => images.delete(key));
  for (const old of images.keys()) {
    if (images.size <= KEPT) break;
    images.delete(old);
  }
  return image;
}

// The cells of an image that are not black in all planes: where they are (row * cols + col),
// in order, and their values, plane after plane. Few are not: all else is fast by that.
async function decode(data, { planes: count, rows, cols }) {
  const file = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const stream = new Blob(pixelChunks(file)).stream().pipeThrough(new DecompressionStream("deflate"));
  const lines = new Uint8Array(await new Response(stream).arrayBuffer());
  // Three planes are the red, green and blue of each pixel, others lie one below the other.
  const [step, apart] = count === 3 ? [3, 1] : [1, rows * (cols + 1)];
  const length = 1 + step * cols; // each line begins with the number of its filter
  const occupied = new Uint8Array(rows * cols);
  for (let plane = 0; plane < count; plane++) {
    for (let row = 0; row < rows; row++) {
      let from = plane * apart + row * length;
      if (lines[count === 3 ? from - plane : from]) throw new Error("the PNG was written by another program");
      from += 1;
      for (let cell = row * cols, end = cell + cols; cell < end; cell++, from += step) {
        if (lines[from]) occupied[cell] = 1;
      }
    }
  }
  const cells = [];
  for (let cell = 0; cell < occupied.length; cell++) if (occupied[cell]) cells.push(cell);
  const where = Uint32Array.from(cells);
  const values = new Uint8Array(count * where.length);
  for (let plane = 0, k = 0; plane < count; plane++) {
    for (const cell of where) {
      const row = Math.floor(cell / cols);
      values[k++] = lines[plane * apart + row * length + 1 + step * (cell - row * cols)];
    }
  }
  return { where, values, rows, cols };
}

// The data of the chunks of a PNG file that hold its pixels.
function pixelChunks(file) {
  const view = new DataView(file.buffer), chunks = [];
  for (let place = 8; place < file.length;) {
    const size = view.getUint32(place), kind = String.fromCharCode(...file.subarray(place + 4, place + 8));
    if (kind === "IDAT") chunks.push(file.subarray(place + 8, place + 8 + size));
    place += 12 + size;
  }
  return chunks;
}

// The values of all planes of a cell.
function look({ where, values }, count, cell) {
  let low = 0, high = where.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (where[middle] < cell) low = middle + 1; else high = middle;
  }
  const found = where[low] === cell;
  return Array.from({ length: count }, (_, k) => (found ? values[k * where.length + low] : 0));
}

// ---------------------------------------------------------------- painting

const BLACK = 255 << 24; // pixels have 32 bits, red is the lowest byte
const colourMap = DATA.map.map(([red, green, blue]) => red | (green << 8) | (blue << 16) | BLACK);

// A function from the number of an occupied cell to its colour.
function painter({ where, values }, name) {
  const size = where.length;
  if (state.mode === "one") {
    const start = state.one.get(name) * size;
    return (k) => colourMap[values[start + k]];
  }
  const { colours, planes: count } = encodings.get(name);
  const curve = Uint8Array.from({ length: 256 }, (_, v) => Math.round(255 * (v / 255) ** state.gamma));
  const shown = [...Array(count).keys()].filter((plane) => !state.off.get(name).has(plane))
    .map((plane) => [plane * size, ...(colours[plane] ?? [255, 255, 255])]);
  return (k) => {
    let red = 0, green = 0, blue = 0;
    for (const [start, r, g, b] of shown) {
      const value = values[start + k], keep = count === 3 ? 255 : 255 - value;
      red = Math.min(255, ((red * keep) / 255 | 0) + ((r * value) / 255 | 0));
      green = Math.min(255, ((green * keep) / 255 | 0) + ((g * value) / 255 | 0));
      blue = Math.min(255, ((blue * keep) / 255 | 0) + ((b * value) / 255 | 0));
    }
    return curve[red] | (curve[green] << 8) | (curve[blue] << 16) | BLACK;
  };
}

// A canvas of 1/2**level the size. Of the cells that share a pixel there, the greatest red,
// green and blue: else single points would vanish.
function paint(image, name, level) {
  const { where, rows, cols } = image;
  const height = ((rows - 1) >> level) + 1, width = ((cols - 1) >> level) + 1;
  const pixels = new Uint32Array(height * width).fill(BLACK);
  const colour = painter(image, name);
  for (let k = 0; k < where.length; k++) {
    const row = Math.floor(where[k] / cols), col = where[k] - row * cols;
    const place = (row >> level) * width + (col >> level);
    const [old, pixel] = [pixels[place], colour(k)];
    pixels[place] = Math.max(old & 255, pixel & 255) | Math.max(old & 0xff00, pixel & 0xff00) |
      Math.max(old & 0xff0000, pixel & 0xff0000) | BLACK;
  }
  const canvas = make("canvas", { width, height });
  const data = new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
  canvas.getContext("2d").putImageData(data, 0, 0);
  return canvas;
}

// ---------------------------------------------------------------- a pane: one image

const UNITS = { 1: "", m: " m", points: " points" };

class Pane {
  constructor(key) {
    this.key = key; // of the state, for the name of the encoding
    this.canvas = make("canvas", { tabIndex: 0 });
    this.title = make("div", { className: "name" });
    this.scale = make("div", { className: "scale" });
    this.values = make("div", { className: "values" });
    this.message = make("div", { className: "message", hidden: true });
    this.element = make("div", { className: "pane" },
      this.canvas, this.title, this.scale, this.values, this.message);
    this.levels = [];
    this.listen();
    new ResizeObserver(() => { this.draw(); }).observe(this.canvas);
  }

  get name() { return state[this.key]; }
  get encoding() { return encodings.get(this.name); }

  async show() {
    const wanted = `${this.name}/${state.index}`;
    if (this.of !== this.name) this.image = null; // it has the planes of another encoding
    this.of = this.name;
    this.wanted = wanted;
    this.title.replaceChildren(this.name, make("small", { textContent:
      `${this.encoding.rows} × ${this.encoding.cols}, ${this.encoding.planes} planes` }));
    this.canvas.setAttribute("aria-label",
      `Bird's-eye view of scan ${DATA.scans[state.index]}, encoding ${this.name}`);
    let image = null, error = "";
    try {
      const result = (await loadCounts(this.name))[state.index];
      if (typeof result === "string") error = result;
      else image = await loadImage(this.name, state.index);
    } catch (problem) {
      error = problem.message;
    }
    if (this.wanted !== wanted) return;
    this.image = image;
    this.message.hidden = !error;
    this.message.replaceChildren(make("b", { textContent: "No image of this scan" }), error);
    this.repaint();
    this.element.dataset.shown = wanted;
  }

  repaint() {
    this.levels = [];
    this.draw();
  }

  level(number) {
    this.levels[number] ??= paint(this.image, this.name, number);
    return this.levels[number];
  }

  // The matrix from (col, row) to CSS pixels of the canvas: x = a col + c row + e, y = b col + ...
  matrix() {
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight;
    const { x, y, zoom } = state.view;
    const [[xr, xc, x0], [yr, yc, y0]] = this.encoding.to_metres;
    if (state.turn === "ahead") {
      return [-zoom * yc, -zoom * xc, -zoom * yr, -zoom * xr,
        width / 2 - zoom * (y0 - y), height / 2 - zoom * (x0 - x)];
    }
    const [row, col] = transform(this.encoding.to_pixel, x, y);
    const across = zoom * Math.hypot(xc, yc), down = zoom * Math.hypot(xr, yr);
    return [across, 0, 0, down, width / 2 - across * col, height / 2 - down * row];
  }

  // Where a place on the canvas is, in metres.
  locate(left, top) {
    const [a, b, c, d, e, f] = this.matrix(), determinant = a * d - b * c;
    const col = (d * (left - e) - c * (top - f)) / determinant;
    const row = (a * (top - f) - b * (left - e)) / determinant;
    const [x, y] = transform(this.encoding.to_metres, row, col);
    return { x, y };
  }

  // Its inverse.
  place({ x, y }) {
    const [a, b, c, d, e, f] = this.matrix();
    const [row, col] = transform(this.encoding.to_pixel, x, y);
    return [a * col + c * row + e, b * col + d * row + f];
  }

  draw() {
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight;
    if (!width || !height || !state.view) return;
    const dots = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * dots);
    this.canvas.height = Math.round(height * dots);
    const context = this.canvas.getContext("2d");
    const matrix = this.matrix().map((value) => value * dots);
    if (this.image) {
      const cell = Math.min(Math.hypot(matrix[0], matrix[1]), Math.hypot(matrix[2], matrix[3]));
      const number = clamp(Math.round(-Math.log2(cell)), 0, 6);
      const canvas = this.level(number), size = 2 ** number;
      context.setTransform(...matrix);
      context.imageSmoothingEnabled = cell * size < 1;
      context.drawImage(canvas, 0, 0, canvas.width * size, canvas.height * size);
    }
    context.setTransform(...matrix);
    context.lineWidth = 1 / Math.hypot(matrix[0], matrix[1]);
    context.strokeStyle = "#2a3341";
    context.strokeRect(0, 0, this.encoding.cols, this.encoding.rows);
    context.setTransform(dots, 0, 0, dots, 0, 0);
    this.drawSensor(context);
    if (state.cursor?.pane !== this) this.drawCross(context, ...this.place(state.cursor ?? state.view));
    this.drawScale();
    this.tell();
  }

  drawSensor(context) {
    const [left, top] = this.place({ x: 0, y: 0 }), [toLeft, toTop] = this.place({ x: 1, y: 0 });
    context.save();
    context.translate(left, top);
    context.rotate(Math.atan2(toTop - top, toLeft - left));
    context.beginPath();
    context.moveTo(8, 0);
    context.lineTo(-5, 5);
    context.lineTo(-2.5, 0);
    context.lineTo(-5, -5);
    context.closePath();
    context.fillStyle = "#ffffffcc";
    context.fill();
    context.restore();
  }

  drawCross(context, left, top) {
    context.strokeStyle = "#ffffff99";
    context.lineWidth = 1;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(left + 4 * dx, top + 4 * dy);
      context.lineTo(left + 11 * dx, top + 11 * dy);
    }
    context.stroke();
  }

  drawScale() {
    const most = Math.min(150, this.canvas.clientWidth / 3) / state.view.zoom;
    const power = 10 ** Math.floor(Math.log10(most));
    const metres = [5, 2, 1].map((step) => step * power).find((step) => step <= most);
    this.scale.replaceChildren(`${+metres.toPrecision(1)} m`, make("i"));
    this.scale.lastChild.style.width = `${metres * state.view.zoom}px`;
  }

  // Says where the cursor is and what the pixel there holds.
  tell() {
    const { rows, cols, channels, to_pixel } = this.encoding;
    const { x, y } = state.cursor ?? state.view;
    const [row, col] = transform(to_pixel, x, y).map(Math.floor);
    this.values.classList.toggle("idle", !state.cursor);
    const table = make("table");
    const add = (...cells) => table.append(make("tr", {},
      ...cells.map((text) => make("td", { textContent: text }))));
    const inside = row >= 0 && row < rows && col >= 0 && col < cols;
    add("x", `${x.toFixed(2)} m`, ...(inside ? ["row", row] : ["outside"]));
    add("y", `${y.toFixed(2)} m`, ...(inside ? ["col", col] : []));
    table.className = "where";
    const parts = [table];
    if (inside && this.image) {
      const planes = make("table");
      const values = look(this.image, channels.length, row * cols + col);
      const many = channels.length > 8;
      channels.forEach((channel, k) => {
        if (many && !values[k]) return;
        planes.append(make("tr", {}, ...[channel.name, values[k], measure(channel, values[k])]
          .map((text) => make("td", { textContent: text }))));
      });
      parts.push(planes);
      this.values.dataset.pixel = JSON.stringify({ row, col, values });
    } else {
      this.values.dataset.pixel = JSON.stringify({ row, col, values: null });
    }
    this.values.replaceChildren(...parts);
  }

  point(place) {
    const first = state.cursor?.pane !== this;
    state.cursor = { ...this.locate(...place), pane: this };
    if (first) this.draw();
    this.tell();
    panes().filter((pane) => pane !== this).forEach((pane) => pane.draw());
  }

  listen() {
    const touches = new Map();
    const at = (event) => {
      const box = this.canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      touches.set(event.pointerId, at(event));
      this.canvas.setPointerCapture(event.pointerId);
      this.canvas.classList.add("moving");
      this.point(at(event));
    });
    this.canvas.addEventListener("pointermove", (event) => {
      const before = touches.get(event.pointerId), now = at(event);
      if (!before) return this.point(now);
      const others = [...touches].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      touches.set(event.pointerId, now);
      if (others.length) { // two fingers
        const [other] = others;
        const grown = Math.hypot(now[0] - other[0], now[1] - other[1]) /
          Math.max(1, Math.hypot(before[0] - other[0], before[1] - other[1]));
        zoomAt(this, grown, other);
      } else {
        const from = this.locate(...before), to = this.locate(...now);
        moveTo(state.view.x + from.x - to.x, state.view.y + from.y - to.y);
      }
      this.point(now);
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      this.canvas.addEventListener(kind, (event) => {
        touches.delete(event.pointerId);
        this.canvas.classList.toggle("moving", touches.size > 0);
      });
    }
    this.canvas.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "touch") return; // what was touched can be read at leisure
      state.cursor = null;
      drawAll();
    });
    this.canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoomAt(this, Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), at(event));
    }, { passive: false });
    this.canvas.addEventListener("dblclick", (event) => zoomAt(this, 2, at(event)));
  }
}

// What a value from 0 to 255 stands for, where all scans have the same scale.
function measure({ zero, full, scale, unit, statistic }, value) {
  if (zero === null || statistic === "occupancy") return "";
  const share = value / 255;
  const number = scale === "log" ? Math.expm1(share * Math.log1p(full)) : zero + share * (full - zero);
  const text = unit === "points" ? number.toFixed(number < 9.5 ? 1 : 0) : number.toFixed(2);
  return value === 0 ? "" : `≈ ${text}${UNITS[unit] ?? ` ${unit}`}`;
}

const main = new Pane("encoding"), second = new Pane("beside");
$("panes").append(main.element);
const panes = () => (state.beside ? [main, second] : [main]);
const drawAll = () => panes().forEach((pane) => pane.draw());

// ---------------------------------------------------------------- where one looks

// The middle and the extent of a map, in metres.
function extent({ rows, cols, to_metres: matrix }) {
  const [xs, ys] = matrix.map(([r, c, o]) => [o, r * rows + c * cols + o]);
  return { x: (xs[0] + xs[1]) / 2, y: (ys[0] + ys[1]) / 2,
    dx: Math.abs(xs[1] - xs[0]), dy: Math.abs(ys[1] - ys[0]) };
}

function fit() {
  const { x, y, dx, dy } = extent(main.encoding);
  const turned = state.turn === "file" && main.encoding.to_metres[0][1] !== 0; // its columns are x
  const [across, down] = turned ? [dx, dy] : [dy, dx];
  const width = main.canvas.clientWidth || 800, height = main.canvas.clientHeight || 600;
  state.view = { x, y, zoom: Math.min(width / across, height / down) * 0.98 };
  changed();
}

function moveTo(x, y) {
  state.view.x = x;
  state.view.y = y;
  changed();
}

function zoomAt(pane, factor, place) {
  const { clientWidth: width, clientHeight: height } = pane.canvas;
  const at = place ?? [width / 2, height / 2];
  const before = pane.locate(...at);
  state.view.zoom = clamp(state.view.zoom * factor, ...ZOOMS);
  const after = pane.locate(...at);
  moveTo(state.view.x + before.x - after.x, state.view.y + before.y - after.y);
}

let drawn = 0;
function changed() {
  cancelAnimationFrame(drawn);
  drawn = requestAnimationFrame(drawAll);
  remember();
}

// ---------------------------------------------------------------- which scan

function go(index) {
  index = clamp(index, 0, last);
  state.direction = index < state.index ? -1 : 1;
  state.index = index;
  $("scan").textContent = DATA.scans[index];
  $("scan").title = DATA.scans[index];
  $("place").textContent = `${index + 1} of ${last + 1}`;
  document.title = `${DATA.scans[index]} · birdview`;
  $("slider").value = index;
  $("slider").setAttribute("aria-valuetext", DATA.scans[index]);
  drawStrip();
  drawPlot();
  remember();
  const shown = Promise.all(panes().map((pane) => pane.show()));
  shown.then(() => {
    if (state.index !== index) return;
    for (let k = 1; k <= AHEAD; k++) {
      const next = index + k * state.direction;
      for (const { name } of panes()) {
        if (next >= 0 && next <= last && Array.isArray(counts.get(name)?.[next])) {
          loadImage(name, next).catch(() => {});
        }
      }
    }
  });
  return shown;
}

let plays = 0; // one that was paused and started again shall not go on beside the new one

async function play() {
  const number = ++plays;
  state.playing = !state.playing;
  const button = $("play");
  button.classList.toggle("playing", state.playing);
  button.setAttribute("aria-label", state.playing ? "Pause" : "Play");
  if (state.playing && state.index === last) await go(0);
  while (state.playing && number === plays && state.index < last) {
    const due = performance.now() + 1000 / $("speed").value;
    await go(state.index + 1);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
  }
  if (state.playing && number === plays) play();
}

// ---------------------------------------------------------------- small pictures

function drawStrip() {
  const strip = $("strip");
  const side = matchMedia("(max-width: 46rem), (max-height: 40rem)").matches ? 58 : 74;
  const count = Math.min(last + 1, Math.max(3, Math.floor(strip.clientWidth / (side + 4))));
  const first = clamp(state.index - (count >> 1), 0, last + 1 - count);
  const those = counts.get(state.encoding);
  strip.replaceChildren(...Array.from({ length: count }, (_, k) => {
    const index = first + k, result = Array.isArray(those) ? those[index] : null;
    const button = make("button", { type: "button", title: DATA.scans[index], tabIndex: -1 });
    button.setAttribute("aria-label", `Scan ${DATA.scans[index]}`);
    if (index === state.index) button.setAttribute("aria-current", "true");
    if (typeof result === "string") button.className = "failed";
    else if (result) {
      button.style.backgroundImage =
        `url("${state.encoding}/${Math.floor(index / DATA.sheet)}.webp")`;
      button.style.backgroundSize = `auto ${side - 2}px`;
      button.style.backgroundPosition = `${-(index % DATA.sheet) * (side - 2)}px 0`;
    }
    button.onclick = () => go(index);
    return button;
  }));
}

// ---------------------------------------------------------------- the plot, and what is notable

let series = []; // for each count: the values, and which are outliers
let notable = [];

function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function judge(results) {
  const found = new Map();
  results.forEach((result, index) => {
    if (typeof result === "string") found.set(index, { index, failed: true, why: result });
  });
  series = COUNTS.map(([key, label]) => {
    const column = DATA.counts.indexOf(key);
    const values = results.map((result) => (typeof result === "string" ? NaN : result[column]));
    const known = values.filter((value) => !Number.isNaN(value));
    const middle = known.length ? median(known) : 0;
    // Of many equal counts the deviation is 0: then a hundredth of them is usual.
    const usual = known.length ? 1.4826 * median(known.map((value) => Math.abs(value - middle))) : 0;
    const limit = OUTLIER * Math.max(usual, 0.01 * middle, 1);
    const outliers = new Set();
    values.forEach((value, index) => {
      const off = Math.abs(value - middle);
      if (!(off > limit)) return;
      outliers.add(index);
      const why = `${label}: ${value.toLocaleString("en")}, usually ${Math.round(middle).toLocaleString("en")}`;
      const before = found.get(index);
      if (!before || before.off < off / limit) found.set(index, { index, off: off / limit, why });
    });
    return { key, label, values, outliers, most: known.reduce((a, b) => Math.max(a, b), 0) };
  });
  notable = [...found.values()].sort((a, b) => a.index - b.index);
  const worst = [...notable].sort((a, b) =>
    (b.failed ?? 0) - (a.failed ?? 0) || (b.off ?? 0) - (a.off ?? 0)).slice(0, NOTABLE);
  worst.sort((a, b) => a.index - b.index);
  $("notable").hidden = !notable.length;
  $("notable").querySelector("h2").textContent = notable.length > NOTABLE
    ? `Worth a look: ${NOTABLE} of ${notable.length}` : `Worth a look: ${notable.length}`;
  $("notable").querySelector("ol").replaceChildren(...worst.map(({ index, failed, why }) => {
    const button = make("button", { type: "button", className: failed ? "failed" : "" },
      make("b", { textContent: DATA.scans[index] }), make("span", { textContent: why }));
    button.onclick = () => go(index);
    return make("li", {}, button);
  }));
}

function nextNotable() {
  const after = notable.find(({ index }) => index > state.index) ?? notable[0];
  if (after) go(after.index);
}

const plot = $("plot").querySelector("canvas"), tip = $("plot").querySelector("output");
const GUTTER = 104; // for the names of the counts, and the greatest of each
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const toX = (index, width) => GUTTER + (last ? index / last : 0.5) * (width - GUTTER - 6);
const toIndex = (x, width) => clamp(Math.round(((x - GUTTER) / (width - GUTTER - 6)) * last), 0, last);

function drawPlot() {
  const width = plot.clientWidth, height = plot.clientHeight, dots = window.devicePixelRatio || 1;
  if (!width || !series.length) return;
  plot.width = Math.round(width * dots);
  plot.height = Math.round(height * dots);
  const context = plot.getContext("2d");
  context.scale(dots, dots);
  const style = getComputedStyle(document.documentElement);
  const lane = height / series.length;
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  series.forEach(({ key, values, outliers, most }, number) => {
    const colour = style.getPropertyValue(`--${key}`), base = (number + 1) * lane - 2;
    const toY = (value) => base - (most ? value / most : 0) * (lane - 6);
    context.fillStyle = colour;
    context.fillText(key === "nonfinite" ? "not finite" : key, 0, base - lane / 2 + 2);
    context.strokeStyle = "#2a3341";
    context.beginPath();
    context.moveTo(GUTTER, base);
    context.lineTo(width, base);
    context.stroke();
    // Of the scans that share a column: from the least to the greatest.
    context.strokeStyle = colour;
    context.lineWidth = 1.2;
    context.beginPath();
    let column = null, low = 0, high = 0, open = false;
    const end = () => {
      if (column === null) return;
      if (open) context.lineTo(column + 0.5, toY(high)); else context.moveTo(column + 0.5, toY(high));
      context.lineTo(column + 0.5, toY(low) + 0.01);
      open = true;
    };
    values.forEach((value, index) => {
      const x = Math.floor(toX(index, width));
      if (Number.isNaN(value)) { end(); column = null; open = false; return; }
      if (x === column) { low = Math.min(low, value); high = Math.max(high, value); return; }
      end();
      column = x;
      low = high = value;
    });
    end();
    context.stroke();
    context.fillStyle = style.getPropertyValue("--muted");
    context.textAlign = "right";
    context.fillText(compact.format(most), GUTTER - 8, base - lane / 2 + 2);
    context.textAlign = "left";
    context.fillStyle = style.getPropertyValue("--alert");
    for (const index of outliers) {
      context.beginPath();
      context.arc(toX(index, width), toY(values[index]), 2.6, 0, 7);
      context.fill();
    }
  });
  context.fillStyle = style.getPropertyValue("--alert");
  for (const { index, failed } of notable) {
    if (failed) context.fillRect(toX(index, width) - 1, 0, 2, height);
  }
  context.fillStyle = "#ffffffd0";
  context.fillRect(toX(state.index, width) - 0.5, 0, 1, height);
}

// The scan at a place of the plot; one that is worth a look draws the cursor to it.
function pick(event) {
  const box = plot.getBoundingClientRect(), x = event.clientX - box.left;
  const near = notable.map(({ index }) => ({ index, far: Math.abs(toX(index, box.width) - x) }))
    .filter(({ far }) => far < 5).sort((a, b) => a.far - b.far)[0];
  return near ? near.index : toIndex(x, box.width);
}

plot.addEventListener("pointerdown", (event) => { plot.setPointerCapture(event.pointerId); go(pick(event)); });
plot.addEventListener("pointermove", (event) => {
  const index = pick(event), box = plot.getBoundingClientRect();
  if (event.buttons) go(index);
  const result = counts.get(state.encoding)?.[index];
  tip.hidden = !result;
  tip.textContent = `${DATA.scans[index]}  ` + (typeof result === "string" ? result : series
    .map(({ label, values }) => `${values[index].toLocaleString("en")} ${label}`).join(", "));
  const x = toX(index, box.width);
  tip.style.left = x < box.width / 2 ? `${x + 8}px` : "";
  tip.style.right = x < box.width / 2 ? "" : `${box.width - x + 8}px`;
});
plot.addEventListener("pointerleave", () => { tip.hidden = true; });

// ---------------------------------------------------------------- controls

for (const name of encodings.keys()) {
  $("encoding").append(make("option", { value: name, textContent: name }));
  $("beside").append(make("option", { value: name, textContent: name }));
}
$("beside").prepend(make("option", { value: "", textContent: "none", selected: true }));
$("slider").max = last;

function describe({ statistic, zero, full, unit, scale, z }) {
  const number = (value) => +value.toFixed(2);
  const range = zero === null ? "each scan's range" : statistic === "occupancy" ? ""
    : `${number(zero)} … ${number(full)}${UNITS[unit] ?? ""}${scale === "log" ? ", log" : ""}`;
  return { range, title: `${statistic.replace("_", " ")}${z ? ` of z ${number(z[0])} … ${number(z[1])} m` : ""}` };
}

function listPlanes() {
  const focused = document.activeElement?.id;
  const name = state.encoding, { channels, colours } = encodings.get(name);
  const one = state.mode === "one";
  $("planes").replaceChildren(...channels.map((channel, k) => {
    const input = make("input", { type: one ? "radio" : "checkbox", name: "plane", id: `plane-${k}`,
      checked: one ? state.one.get(name) === k : !state.off.get(name).has(k) });
    input.onchange = () => choosePlane(k);
    const { range, title } = describe(channel);
    const swatch = make("i", { hidden: one });
    swatch.style.background = `rgb(${colours[k] ?? [255, 255, 255]})`;
    return make("label", { title }, input, swatch, channel.name, make("small", { textContent: range }));
  }));
  if (focused?.startsWith("plane-")) $(focused)?.focus();
  const bar = $("bar"), { zero, full, unit } = channels[state.one.get(name)];
  bar.hidden = !one;
  if (one) {
    const pixels = new Uint32Array(colourMap);
    bar.querySelector("canvas").getContext("2d")
      .putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), 256, 1), 0, 0);
    const [low, high] = bar.querySelectorAll("span");
    low.textContent = zero === null ? "the scan's least" : `${+zero.toFixed(2)}${UNITS[unit] ?? ""}`;
    high.textContent = full === null ? "and greatest" : `${+full.toFixed(2)}${UNITS[unit] ?? ""}`;
  }
}

function choosePlane(k) {
  const name = state.encoding;
  if (k >= encodings.get(name).planes) return;
  if (state.mode === "one") state.one.set(name, k);
  else if (!state.off.get(name).delete(k)) state.off.get(name).add(k);
  repaintAll();
}

function repaintAll() {
  listPlanes();
  panes().forEach((pane) => pane.repaint());
  remember();
}

async function chooseEncoding(name, beside = state.beside) {
  state.encoding = name;
  state.beside = beside;
  $("encoding").value = name;
  $("beside").value = beside;
  if (beside) $("panes").append(second.element); else second.element.remove();
  listPlanes();
  state.cursor = null;
  const shown = go(state.index);
  const results = await loadCounts(name);
  if (state.encoding !== name) return;
  judge(results);
  drawStrip();
  drawPlot();
  await shown;
}

function chooseMode(mode) {
  state.mode = mode;
  document.querySelector(`[name="mode"][value="${mode}"]`).checked = true;
  $("gamma").disabled = mode === "one";
  repaintAll();
}

function chooseTurn(turn) {
  state.turn = turn;
  document.querySelector(`[name="turn"][value="${turn}"]`).checked = true;
  fit();
}

const cycle = (names, now) => names[(names.indexOf(now) + 1) % names.length];
const toGamma = (brightness) => 2 ** (1 - brightness / 35); // 35 shows pixels as they are
const fromGamma = (gamma) => 35 * (1 - Math.log2(gamma));

$("encoding").onchange = (event) => chooseEncoding(event.target.value);
$("beside").onchange = (event) => chooseEncoding(state.encoding, event.target.value).then(fit);
document.querySelectorAll('[name="mode"]').forEach((input) => { input.onchange = () => chooseMode(input.value); });
document.querySelectorAll('[name="turn"]').forEach((input) => { input.onchange = () => chooseTurn(input.value); });
$("gamma").oninput = (event) => { state.gamma = toGamma(event.target.value); panes().forEach((pane) => pane.repaint()); };
$("fit").onclick = fit;
$("first").onclick = () => go(0);
$("back").onclick = () => go(state.index - 1);
$("next").onclick = () => go(state.index + 1);
$("play").onclick = play;
$("slider").oninput = (event) => go(+event.target.value);
$("help").onclick = () => $("keys").showModal();
$("settings").onclick = () => showPanel($("panel").hidden);
$("link").onclick = async () => {
  writeLink();
  try { await navigator.clipboard.writeText(location.href); $("link").textContent = "Copied"; }
  catch { $("link").textContent = "It is in the address"; }
  setTimeout(() => { $("link").textContent = "Copy link"; }, 1500);
};

function showPanel(shown) {
  $("panel").hidden = !shown;
  $("settings").setAttribute("aria-expanded", shown);
}

// ---------------------------------------------------------------- by name

let matches = [], chosen = 0;

function search() {
  const text = $("name").value.trim().toLowerCase();
  matches = [];
  for (let k = 0; text && k <= last && matches.length < 8; k++) {
    if (DATA.scans[k].toLowerCase().includes(text)) matches.push(k);
  }
  const exact = DATA.scans.findIndex((scan) => scan.toLowerCase() === text);
  if (exact >= 0) matches = [exact, ...matches.filter((k) => k !== exact)];
  chosen = 0;
  listMatches(text);
}

function listMatches(text) {
  const none = text && !matches.length;
  $("matches").replaceChildren(...(none ? [make("li", { textContent: "No such scan" })]
    : matches.map((index, k) => {
      const item = make("li", { textContent: DATA.scans[index], id: `match-${k}` });
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", k === chosen);
      item.onpointerdown = (event) => { event.preventDefault(); take(index); };
      return item;
    })));
  $("matches").hidden = !text;
  $("name").setAttribute("aria-expanded", Boolean(text));
  if (matches.length) $("name").setAttribute("aria-activedescendant", `match-${chosen}`);
  else $("name").removeAttribute("aria-activedescendant");
}

function take(index) {
  $("name").value = "";
  $("name").blur();
  listMatches("");
  go(index);
}

$("name").oninput = search;
$("name").onblur = () => listMatches("");
$("name").onfocus = search;
$("find").onsubmit = (event) => { event.preventDefault(); if (matches.length) take(matches[chosen]); };
$("name").onkeydown = (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    chosen = clamp(chosen + (event.key === "ArrowDown" ? 1 : -1), 0, Math.max(0, matches.length - 1));
    listMatches($("name").value);
  } else if (event.key === "Escape") { $("name").value = ""; $("name").blur(); }
};

// ---------------------------------------------------------------- keys

const move = (right, up) => {
  state.cursor = null;
  const { clientWidth: width, clientHeight: height } = main.canvas;
  const to = main.locate(width / 2 + 60 * right, height / 2 - 60 * up);
  moveTo(to.x, to.y);
};

const KEYS = {
  ArrowLeft: () => go(state.index - 1), ArrowRight: () => go(state.index + 1),
  PageUp: () => go(state.index - 10), PageDown: () => go(state.index + 10),
  Home: () => go(0), End: () => go(last), " ": play, n: nextNotable,
  "+": () => zoomAt(main, 1.4), "=": () => zoomAt(main, 1.4), "-": () => zoomAt(main, 1 / 1.4), 0: fit,
  w: () => move(0, 1), s: () => move(0, -1), a: () => move(-1, 0), d: () => move(1, 0),
  e: () => chooseEncoding(cycle([...encodings.keys()], state.encoding)),
  c: () => chooseEncoding(state.encoding, cycle(["", ...encodings.keys()], state.beside)).then(fit),
  m: () => chooseMode(state.mode === "all" ? "one" : "all"),
  o: () => chooseTurn(state.turn === "ahead" ? "file" : "ahead"),
  "/": () => $("name").focus(), "?": () => $("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches('input[type="search"], select');
  if (typing || $("keys").open || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === " " && event.target.matches("button, input")) return; // it is theirs
  const moves = /^(Arrow|Page|Home|End)/.test(event.key);
  if (moves && event.target.matches('input[type="radio"], #gamma')) return;
  const action = /^[1-9]$/.test(event.key) ? () => choosePlane(event.key - 1) : KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

// ---------------------------------------------------------------- the link

let written = 0;
function remember() {
  clearTimeout(written);
  written = setTimeout(writeLink, 250);
}

function writeLink() {
  const { encoding, beside, mode, turn, view } = state;
  const link = new URLSearchParams({ scan: DATA.scans[state.index], encoding });
  if (beside) link.set("beside", beside);
  const { channels } = encodings.get(encoding);
  const usual = usuallyOff(encodings.get(encoding)), off = state.off.get(encoding);
  if (channels.some((_, k) => off.has(k) !== usual.has(k))) {
    link.set("planes", channels.filter((_, k) => !off.has(k)).map(({ name }) => name).join(" "));
  }
  if (mode === "one") link.set("plane", channels[state.one.get(encoding)].name);
  if (turn !== "ahead") link.set("turn", turn);
  if (state.gamma !== DATA.gamma) link.set("gamma", state.gamma.toFixed(3));
  if (view) for (const [key, digits] of [["x", 2], ["y", 2], ["zoom", 3]]) link.set(key, view[key].toFixed(digits));
  history.replaceState(null, "", `#${link}`);
}

function readLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  const known = (name) => (encodings.has(link.get(name)) ? link.get(name) : null);
  const index = DATA.scans.indexOf(link.get("scan"));
  state.index = index < 0 ? state.index : index;
  const encoding = known("encoding") ?? state.encoding;
  const names = encodings.get(encoding).channels.map(({ name }) => name);
  const shown = link.get("planes")?.split(" ");
  state.off.set(encoding, shown
    ? new Set(names.flatMap((name, k) => (shown.includes(name) ? [] : [k])))
    : usuallyOff(encodings.get(encoding)));
  if (link.has("plane")) state.one.set(encoding, Math.max(0, names.indexOf(link.get("plane"))));
  state.mode = link.has("plane") ? "one" : "all";
  state.turn = link.get("turn") === "file" ? "file" : "ahead";
  state.gamma = link.get("gamma") > 0 ? +link.get("gamma") : DATA.gamma;
  $("gamma").value = fromGamma(state.gamma);
  const view = ["x", "y", "zoom"].map((key) => (link.has(key) ? Number(link.get(key)) : NaN));
  state.view = view.every(Number.isFinite) && view[2] > 0
    ? { x: view[0], y: view[1], zoom: clamp(view[2], ...ZOOMS) } : null;
  document.querySelector(`[name="turn"][value="${state.turn}"]`).checked = true;
  chooseEncoding(encoding, known("beside") ?? "");
  chooseMode(state.mode);
  if (!state.view) fit();
}

window.addEventListener("hashchange", readLink);
window.addEventListener("resize", () => { drawStrip(); drawPlot(); });
if (matchMedia("(max-width: 46rem), (max-height: 30rem)").matches) showPanel(false);
readLink();
