// Thumbnails of the scans around the current one.

function drawStrip() {
  const strip = $("strip");
  const side = matchMedia("(max-width: 46rem), (max-height: 40rem)").matches ? 58 : 74;
  const fitting = Math.max(3, Math.floor(strip.clientWidth / (side + 4)));
  const count = Math.min(last + 1, fitting);
  const first = clamp(state.index - (count >> 1), 0, last + 1 - count);
  const hadFocus = strip.contains(document.activeElement);
  strip.replaceChildren(...Array.from({ length: count },
    (_, k) => makeThumbnail(first + k, side - 2)));
  if (hadFocus) strip.querySelector("[aria-current]").focus();
}

function makeThumbnail(index, side) {
  const name = DATA.scans[index], result = counts.get(state.encoding)?.[index];
  const button = make("button", { type: "button", title: name, tabIndex: -1 });
  button.setAttribute("aria-label", `Scan ${name}`);
  if (index === state.index) button.setAttribute("aria-current", "true");
  if (typeof result === "string") {
    button.className = "failed";
  } else if (result) {
    const file = `${state.encoding}/${Math.floor(index / DATA.spriteSize)}.webp`;
    button.style.backgroundImage = `url("${file}")`;
    button.style.backgroundSize = `auto ${side}px`;
    button.style.backgroundPosition = `${-(index % DATA.spriteSize) * side}px 0`;
  }
  button.onclick = () => showScan(index);
  return button;
}
