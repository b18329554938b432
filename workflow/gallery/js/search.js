// Go to a scan by its name.

const MAX_MATCHES = 8;

let matches = []; // scans whose names contain the text
let selected = 0; // which of them Enter goes to

function search() {
  const text = $("name").value.trim().toLowerCase();
  matches = [];
  for (let index = 0; text && index <= last && matches.length < MAX_MATCHES; index++) {
    if (DATA.scans[index].toLowerCase().includes(text)) matches.push(index);
  }
  const exact = DATA.scans.findIndex((scan) => scan.toLowerCase() === text);
  if (exact >= 0) matches = [exact, ...matches.filter((index) => index !== exact)];
  selected = 0;
  listMatches(text);
}

function listMatches(text) {
  const items = matches.map((index, number) => {
    const item = make("li", { textContent: DATA.scans[index], id: `match-${number}` });
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", number === selected);
    item.onpointerdown = (event) => { event.preventDefault(); chooseMatch(index); };
    return item;
  });
  if (text && !items.length) {
    items.push(make("li", { textContent: "No such scan", role: "option", ariaDisabled: "true" }));
    announce(() => "No such scan");
  }
  $("matches").replaceChildren(...items);
  $("matches").hidden = !text;
  $("name").setAttribute("aria-expanded", Boolean(text));
  if (matches.length) $("name").setAttribute("aria-activedescendant", `match-${selected}`);
  else $("name").removeAttribute("aria-activedescendant");
}

function chooseMatch(index) {
  $("name").value = "";
  $("name").blur();
  listMatches("");
  showScan(index);
}

$("name").oninput = search;
$("name").onfocus = search;
$("name").onblur = () => listMatches("");
$("name").onkeydown = (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    selected = clamp(selected + step, 0, Math.max(0, matches.length - 1));
    listMatches($("name").value);
  } else if (event.key === "Escape") {
    $("name").value = "";
    $("name").blur();
  }
};
$("find").onsubmit = (event) => {
  event.preventDefault();
  if (matches.length) chooseMatch(matches[selected]);
};
