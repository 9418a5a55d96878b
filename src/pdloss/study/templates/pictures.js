// Pictures are loaded ahead, whole, and shown only when their hashes and sizes are right.

import { Refused, patiently } from "./requests.js";

export class Pictures {
  constructor(key, crop, told) {
    this.key = key;
    this.crop = crop;
    this.told = told;
    this.found = new Map();
  }

  // Resolves to {left, right[, reference]}: addresses of verified pictures.
  of(place, item) {
    if (!this.found.has(place)) this.found.set(place, this.load(place, item));
    return this.found.get(place);
  }

  async load(place, item) {
    const slots = ["left", "right", "reference"].filter((slot) => item[slot]);
    const addresses = await Promise.all(slots.map((slot) => this.one(place, slot, item[slot])));
    return Object.fromEntries(slots.map((slot, k) => [slot, addresses[k]]));
  }

  one(place, slot, integrity) {
    return patiently(async () => {
      const reply = await fetch(`api/picture/${place}/${slot}`, {
        headers: { Authorization: `Bearer ${this.key}` },
        cache: "no-store",
        credentials: "omit",
        integrity, // the browser itself refuses a picture with another hash
        signal: AbortSignal.timeout(120000),
      });
      if (!reply.ok) throw new Refused(reply.status, {});
      const address = URL.createObjectURL(await reply.blob());
      const image = new Image();
      image.src = address;
      await image.decode();
      if (image.naturalWidth !== this.crop || image.naturalHeight !== this.crop) throw new Error("wrong size");
      return address;
    }, this.told);
  }

  // Loads the rest one after the other, so that the next is always first, and being offline does no harm.
  async ahead(places, items) {
    for (let k = 0; k < places.length; k++) await this.of(places[k], items[k]).catch(() => {});
  }

  async drop(place) {
    const addresses = await this.found.get(place)?.catch(() => ({}));
    Object.values(addresses || {}).forEach((address) => URL.revokeObjectURL(address));
    this.found.delete(place);
  }
}
