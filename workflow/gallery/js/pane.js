// A pane shows one image, and says where the cursor is and which values are there.

class Pane {
  constructor(key) {
    this.key = key; // of the state: which encoding to show
    this.canvas = make("canvas", { tabIndex: 0, role: "img" });
    this.title = make("div", { className: "name" });
    this.head = make("div", { className: "head" }, this.title);
    this.scale = make("div", { className: "scale" });
    this.readout = make("div", { className: "values" });
    this.tip = make("div", { className: "tip", hidden: true });
    this.message = make("div", { className: "message", hidden: true });
    this.element = make("div", { className: "pane" },
      this.canvas, this.head, this.scale, this.readout, this.tip, this.message);
    this.levels = []; // the painted image: at full size, half, a quarter ...
    listenToPointer(this);
    new ResizeObserver(() => {
      if (state.fitted) fitView();
      drawPanes();
    }).observe(this.canvas);
  }

  get name() { return state[this.key]; }
  get encoding() { return encodings.get(this.name); }

  // Show the image that the state asks for.
  async show() {
    const wanted = `${this.name}/${state.index}`;
    this.wanted = wanted;
    if (this.image && this.shown === wanted) {
      this.repaint();
      return;
    }
    if (this.imageEncoding !== this.name) this.image = null; // it has other planes
    this.imageEncoding = this.name;
    this.updateTitle([]);
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
    this.updateTitle(image?.found ?? []);
    this.message.hidden = !error;
    this.message.replaceChildren(make("b", { textContent: "No image of this scan" }), " ", error);
    if (error && this === main) {
      announce(() => `Scan ${DATA.scans[state.index]}: ${this.message.textContent}`);
    }
    this.repaint();
    if (this === main) countBoxes();
    this.shown = this.element.dataset.shown = wanted;
  }

  // Say what the image is, and how much of what it should show was found.
  updateTitle(found) {
    const { rows, cols, planes } = this.encoding;
    const facts = [`${rows} × ${cols}`, planes === 1 ? "1 plane" : `${planes} planes`,
      ...found.map(([what, count]) => `${what}: ${count}`)];
    this.title.replaceChildren(this.name, make("small", { textContent: facts.join(", ") }));
  }

  repaint() {
    this.levels = [];
    this.draw();
  }

  level(number) {
    this.levels[number] ??= paint(this.image, this.name, number);
    return this.levels[number];
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height || !state.view) return;
    const dots = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * dots);
    this.canvas.height = Math.round(height * dots);
    const context = this.canvas.getContext("2d");
    const matrix = canvasMatrix(this).map((value) => value * dots);
    context.setTransform(...matrix);
    if (this.image) this.drawImage(context, matrix);
    context.lineWidth = 1 / Math.hypot(matrix[0], matrix[1]);
    context.strokeStyle = "#2a3341";
    context.strokeRect(0, 0, this.encoding.cols, this.encoding.rows);
    context.setTransform(dots, 0, 0, dots, 0, 0);
    this.drawSensor(context);
    if (this.image) drawBoxes(context, this);
    if (state.cursor?.pane !== this) {
      this.drawCross(context, ...toCanvas(this, state.cursor ?? state.view));
    }
    this.updateScale();
    this.updateReadout();
  }

  drawImage(context, matrix) {
    const cell = Math.min(
      Math.hypot(matrix[0], matrix[1]), Math.hypot(matrix[2], matrix[3]));
    const number = clamp(Math.round(-Math.log2(cell)), 0, 6), size = 2 ** number;
    const canvas = this.level(number);
    context.imageSmoothingEnabled = cell * size < 1;
    context.drawImage(canvas, 0, 0, canvas.width * size, canvas.height * size);
  }

  // Draw an arrow at the sensor that points forward.
  drawSensor(context) {
    const [left, top] = toCanvas(this, { x: 0, y: 0 });
    const [aheadLeft, aheadTop] = toCanvas(this, { x: 1, y: 0 });
    context.save();
    context.translate(left, top);
    context.rotate(Math.atan2(aheadTop - top, aheadLeft - left));
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

  updateScale() {
    const longest = Math.min(150, this.canvas.clientWidth / 3) / state.view.zoom;
    const power = 10 ** Math.floor(Math.log10(longest));
    const metres = [5, 2, 1].map((step) => step * power).find((length) => length <= longest);
    this.scale.replaceChildren(`${+metres.toPrecision(1)} m`, make("i"));
    this.scale.lastChild.style.width = `${metres * state.view.zoom}px`;
  }

  // Say where the cursor is, and which values are there.
  updateReadout() {
    const { rows, cols, channels, background, to_pixel } = this.encoding;
    const { x, y } = state.cursor ?? state.view;
    const [row, col] = transform(to_pixel, x, y).map(Math.floor);
    const isInside = row >= 0 && row < rows && col >= 0 && col < cols;
    const tables = [makeTable([
      ["x", formatMetres(x), ...(isInside ? ["row", row] : ["outside"])],
      ["y", formatMetres(y), ...(isInside ? ["col", col] : [])],
    ], "where")];
    let values = null;
    if (isInside && this.image) {
      values = valuesAt(this.image, this.encoding, row * cols + col);
      const lines = channels.map((channel, plane) =>
        [channel.name, values[plane], this.explainValue(channel, values[plane])]);
      // If there are many planes, leave out those without a value.
      tables.push(makeTable(lines.filter(([, value]) => channels.length <= 8 || value !== background)));
    }
    this.readout.dataset.pixel = JSON.stringify({ row, col, values });
    this.readout.classList.toggle("idle", !state.cursor && state.fitted);
    this.readout.replaceChildren(...tables);
    updateTip(this, { x, y }, toCanvas(this, { x, y }));
  }

  // Return the values at the cursor as a sentence.
  readAloud() {
    const rows = [...this.readout.querySelectorAll("tr")];
    return rows.map((row) => [...row.cells].map((cell) => cell.textContent).join(" ").trim())
      .join(", ");
  }

  explainValue(channel, value) {
    if (channel.is_class_map) return palettes.get(this.name)[value]?.[0] ?? "no class";
    if (value === this.encoding.background) return "";
    return formatValue(channel, value) || (channel.z ? `z ${formatHeights(channel)}` : "");
  }
}

const makeTable = (lines, className = "") => make("table", { className },
  ...lines.map((cells) => make("tr", {},
    ...cells.map((text) => make("td", { textContent: text })))));

const main = new Pane("encoding"), second = new Pane("compareWith");
$("panes").append(main.element);
const panes = () => (state.compareWith ? [main, second] : [main]);
const drawPanes = () => panes().forEach((pane) => pane.draw());
