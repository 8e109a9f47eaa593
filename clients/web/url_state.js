/** The address keeps where one is: `#text?seed=To+be&random_seed=42`. */

export function parseAddress(hash) {
  const [section, query = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  return { section, state: new URLSearchParams(query) };
}

/** What is "" is left out of the state. */
export function formatAddress(section, state = {}) {
  const query = new URLSearchParams(Object.entries(state).filter(([, value]) => value !== ""));
  return `#${section}${query.size ? `?${query}` : ""}`;
}
