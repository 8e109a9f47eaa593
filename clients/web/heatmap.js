/** Where the network looked: the map of one class over the image, for the class that is pointed at. */

/**
 * `part`: why, heat, heatCaption. `ask` fetches what `show` is then given: rows with `key`, `name`, `image`, `method`.
 * Nothing is asked for before somebody points.
 */
export function createHeatmap(part, ask) {
  let rows = null;
  let wanted = null; // the key of the class that is pointed at
  let isAsked = false;

  function paint() {
    const row = rows?.find(({ key }) => key === wanted) ?? rows?.[0];
    part.why.hidden = !row;
    if (!row) return;
    part.heat.src = row.image;
    part.heat.alt = `Where the network looked for ${row.name}`;
    const how = row.method === "cam" ? "class activation map" : "occlusion: parts are covered in turn";
    part.heatCaption.textContent = `Evidence for ${row.name} (${how})`;
  }

  async function point(key) {
    wanted = key;
    paint();
    if (rows || isAsked) return;
    isAsked = true;
    isAsked = await ask() && isAsked; // what was left unanswered may be asked for again
  }

  part.explain.onclick = () => {
    isAsked = false; // again, after an error
    point(wanted);
  };
  return {
    show(found) {
      rows = found;
      paint();
    },
    /** The image is another one: what was asked for is of no use any more. */
    clear() {
      ask.stop();
      rows = wanted = null;
      isAsked = false;
      paint();
    },
    /** Points when a bar is: `keyOf(index)` is its class. */
    watch(list, keyOf) {
      list.addEventListener("pointerover", ({ target }) => {
        const item = target.closest("li");
        if (item && list.querySelector(".value").textContent) point(keyOf([...list.children].indexOf(item)));
      });
    },
  };
}
