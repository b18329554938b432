// Mouse and touch on a pane: read values, drag, pinch, scroll.

function listenToPointer(pane) {
  const { canvas } = pane;
  const touches = new Map(); // the position of each finger, or of the pressed mouse
  const positionOf = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    touches.set(event.pointerId, positionOf(event));
    canvas.setPointerCapture(event.pointerId);
    canvas.classList.add("moving");
    moveCursor(pane, positionOf(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = touches.get(event.pointerId), now = positionOf(event);
    if (before) {
      const [other] = [...touches].filter(([id]) => id !== event.pointerId);
      touches.set(event.pointerId, now);
      if (other) pinch(pane, before, now, other[1]);
      else drag(pane, before, now);
    }
    moveCursor(pane, now);
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, (event) => {
      touches.delete(event.pointerId);
      canvas.classList.toggle("moving", touches.size > 0);
    });
  }
  canvas.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "touch") return; // keep the values of the last tap
    state.cursor = null;
    drawPanes();
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const speed = event.deltaMode ? 0.05 : 0.0016; // lines or pixels
    zoomAt(pane, Math.exp(-event.deltaY * speed), positionOf(event));
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => zoomAt(pane, 2, positionOf(event)));
}

function moveCursor(pane, position) {
  const entered = state.cursor?.pane !== pane;
  state.cursor = { ...toMetres(pane, ...position), pane };
  if (entered) pane.draw(); // without its cross
  pane.updateReadout();
  panes().filter((other) => other !== pane).forEach((other) => other.draw());
}

function drag(pane, before, now) {
  const from = toMetres(pane, ...before), to = toMetres(pane, ...now);
  moveTo(state.view.x + from.x - to.x, state.view.y + from.y - to.y);
}

function pinch(pane, before, now, other) {
  const distance = ([left, top]) => Math.hypot(left - other[0], top - other[1]);
  zoomAt(pane, distance(now) / Math.max(1, distance(before)), other);
}
