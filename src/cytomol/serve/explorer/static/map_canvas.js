// Many points on a canvas, written pixel by pixel: a hundred thousand take some milliseconds.

const MOST_ZOOM = 400;

/** A cloud of points that can be moved and zoomed. */
export class PointCloud {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.places = new Float32Array(0);
    this.colours = null; // 0 for a point without a value
    this.view = { x: 0, y: 0, scale: 1 }; // centre in the plane, pixels of the screen a unit
    this.whole = { ...this.view };
    this.moved = () => {};
    this.waiting = false;
    this.drawn = 0; // milliseconds of the last drawing
  }

  get count() { return this.places.length / 2; }

  /** Take new points: x and y of each; NaN has no place. */
  setPlaces(places) {
    this.places = places;
    this.fit();
  }

  /** Take colours: packed as pixels are, 0 for a point that has none. */
  setColours(colours) {
    this.colours = colours;
    this.draw();
  }

  setPalette({ page, density }) {
    this.page = page;
    this.density = density;
    this.draw();
  }

  resize(width, height) {
    const ratio = window.devicePixelRatio || 1;
    this.ratio = ratio;
    this.width = width;
    this.height = height;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.image = this.context.createImageData(this.canvas.width, this.canvas.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.crowd = new Uint8Array(this.pixels.length);
    this.fit();
  }

  /** Show all points. */
  fit() {
    if (!this.width || !this.count) return;
    let left = Infinity, right = -Infinity, low = Infinity, high = -Infinity;
    for (let at = 0; at < this.places.length; at += 2) {
      const x = this.places[at], y = this.places[at + 1];
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < low) low = y;
      if (y > high) high = y;
    }
    const scale = 0.92 * Math.min(this.width / (right - left || 1), this.height / (high - low || 1));
    this.whole = { x: (left + right) / 2, y: (low + high) / 2, scale };
    this.set(this.whole);
  }

  set(view) {
    const scale = Math.min(this.whole.scale * MOST_ZOOM, Math.max(this.whole.scale * 0.5, view.scale));
    this.view = { ...view, scale };
    this.draw();
  }

  /** Zoom by a factor around a point of the screen. */
  zoom(factor, at = [this.width / 2, this.height / 2]) {
    const [x, y] = this.toPlane(...at), { scale } = this.view;
    const next = Math.min(this.whole.scale * MOST_ZOOM, Math.max(this.whole.scale * 0.5, scale * factor));
    const share = scale / next;
    this.set({ x: x + (this.view.x - x) * share, y: y + (this.view.y - y) * share, scale: next });
  }

  move(right, down) {
    const { x, y, scale } = this.view;
    this.set({ x: x - right / scale, y: y + down / scale, scale });
  }

  toScreen(x, y) {
    const { view } = this;
    return [this.width / 2 + (x - view.x) * view.scale, this.height / 2 - (y - view.y) * view.scale];
  }

  toPlane(right, down) {
    const { view } = this;
    return [view.x + (right - this.width / 2) / view.scale, view.y - (down - this.height / 2) / view.scale];
  }

  /** The point nearest to a place of the screen, if one is within so many pixels; else -1. */
  nearest(right, down, within = 12) {
    const [x, y] = this.toPlane(right, down);
    let best = (within / this.view.scale) ** 2, found = -1;
    for (let at = 0; at < this.places.length; at += 2) {
      const apart = (this.places[at] - x) ** 2 + (this.places[at + 1] - y) ** 2;
      if (apart < best) { best = apart; found = at / 2; }
    }
    return found;
  }

  /** Draw before the next frame. */
  draw() {
    if (this.waiting || !this.pixels) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.drawNow(); });
  }

  drawNow() {
    const begun = performance.now();
    const { places, colours, pixels, crowd, density } = this;
    const wide = this.canvas.width, tall = this.canvas.height;
    const scale = this.view.scale * this.ratio;
    const left = wide / 2 - this.view.x * scale, top = tall / 2 + this.view.y * scale;
    const zoomed = this.view.scale / this.whole.scale;
    const few = this.count < 3000 ? 3 : this.count < 20000 ? 1 : 0; // few points may be larger
    const side = Math.max(2, Math.round(this.ratio * Math.min(7, 1.6 + few + Math.log2(Math.max(1, zoomed)))));
    crowd.fill(0);
    for (let at = 0; at < places.length; at += 2) {
      if (colours && colours[at / 2]) continue;
      const x = Math.round(left + places[at] * scale), y = Math.round(top - places[at + 1] * scale);
      if (!(x >= 0 && y >= 0 && x < wide - side && y < tall - side)) continue;
      for (let row = y; row < y + side; row++) {
        for (let pixel = row * wide + x; pixel < row * wide + x + side; pixel++) if (crowd[pixel] < 255) crowd[pixel]++;
      }
    }
    for (let pixel = 0; pixel < pixels.length; pixel++) pixels[pixel] = density[crowd[pixel]];
    if (colours) this.drawColoured(left, top, scale, side + Math.round(this.ratio), wide, tall);
    this.context.putImageData(this.image, 0, 0);
    this.drawn = performance.now() - begun;
    this.moved();
  }

  drawColoured(left, top, scale, side, wide, tall) {
    const { places, colours, pixels } = this;
    for (let point = 0; point < colours.length; point++) {
      const colour = colours[point];
      if (!colour) continue;
      const x = Math.round(left + places[2 * point] * scale), y = Math.round(top - places[2 * point + 1] * scale);
      if (!(x >= 0 && y >= 0 && x < wide - side && y < tall - side)) continue;
      for (let row = y; row < y + side; row++) pixels.fill(colour, row * wide + x, row * wide + x + side);
    }
  }
}

/** Pack a colour as the pixels of an image are. */
export const packed = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/** Colours by how many points share a pixel: from the page's own to that of a full one. */
export function densities(page, full) {
  const table = new Uint32Array(256);
  for (let count = 0; count < 256; count++) {
    const share = count ? Math.min(1, 0.3 + 0.16 * Math.log2(count)) : 0;
    table[count] = packed(page.map((from, at) => Math.round(from + share * (full[at] - from))));
  }
  return table;
}
