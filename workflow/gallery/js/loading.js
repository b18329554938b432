// Load counts, and images with the boxes of their scans. They come as scripts that call birdview.receive, because a page
// in the file system cannot read other files.

const CACHE_SIZE = 24; // decoded images
const PREFETCH = 4; // images to load before they are shown

const counts = new Map(); // encoding -> for each scan its counts, or why it has no image
const warnings = new Map(); // encoding -> what is doubtful about scans, by their index
const countRequests = new Map(); // encoding -> promise of these
const images = new Map(); // "encoding/index" -> promise of what decode() returns, and boxes by layer
const receivers = new Map(); // key of a script -> function that takes its data

const birdview = {
  receive(kind, encoding, ...rest) {
    const key = kind === "image" ? `${encoding}/${rest[0]}` : `${encoding}/counts`;
    receivers.get(key)?.(rest.at(-1));
    receivers.delete(key);
  },
};

function fetchScript(key) {
  return new Promise((resolve, reject) => {
    const earlier = receivers.get(key); // the same script may be requested twice
    receivers.set(key, (data) => { earlier?.(data); resolve(data); });
    const script = make("script", { src: `${key}.js` });
    script.onload = script.onerror = () => {
      script.remove();
      reject(new Error(`${key}.js cannot be loaded`)); // no effect if it was received
    };
    document.head.append(script);
  });
}

function loadCounts(encoding) {
  if (!countRequests.has(encoding)) {
    countRequests.set(encoding, fetchScript(`${encoding}/counts`).then((data) => {
      counts.set(encoding, data.results);
      warnings.set(encoding, data.warnings);
      return data.results;
    }));
  }
  return countRequests.get(encoding);
}

function loadImage(encoding, index) {
  const key = `${encoding}/${index}`;
  const image = images.get(key)
    ?? fetchScript(key).then(async ({ png, boxes, found }) =>
      ({ ...await decode(png, encodings.get(encoding)), boxes, found }));
  images.delete(key); // move it to the end: the first is the least recently used
  images.set(key, image);
  image.catch(() => images.delete(key));
  for (const old of images.keys()) {
    if (images.size <= CACHE_SIZE) break;
    images.delete(old);
  }
  return image;
}

// Load the images that will probably be shown next.
function prefetch() {
  for (let step = 1; step <= PREFETCH; step++) {
    const index = state.index + step * state.direction;
    for (const { name } of panes()) {
      if (Array.isArray(counts.get(name)?.[index])) loadImage(name, index).catch(() => {});
    }
  }
}
