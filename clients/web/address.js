/** The address keeps where one is: `#text?seed=To+be&random_seed=42`. */

export function parseAddress(hash) {
  const [room, query = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  return { room, state: new URLSearchParams(query) };
}

/** What is "" is left out of the state. */
export function formatAddress(room, state = {}) {
  const query = new URLSearchParams(Object.entries(state).filter(([, value]) => value !== ""));
  return `#${room}${query.size ? `?${query}` : ""}`;
}
