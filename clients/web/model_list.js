/** The models that `/v1/models` lists: those that Vitrine releases first, and how many still load. */

const RELEASED = ["digits", "digits-course", "digits-large", "text", "text-course", "labels", "fashion-dense", "fashion-svm", "vae", "vae-2d", "ae-2d", "gan"];

const rank = ({ id }) => (RELEASED.indexOf(id) + RELEASED.length + 1) % (RELEASED.length + 1);

/** Released models in the order of the sections, then all others by name. */
export const inOrder = (models) =>
  [...models].sort((one, other) => rank(one) - rank(other) || one.id.localeCompare(other.id));

/** The names of the models of a task, in that order. */
export const namesOf = (models, task) => inOrder(models).filter((model) => model.task === task).map(({ id }) => id);

/** "digits is loading, 2 of 11 models are ready"; "" if nothing loads. `wanted`: the model that is waited for. */
export function loadingSentence(models, wanted) {
  const loading = models.filter(({ ready }) => ready === false).map(({ id }) => id);
  if (!loading.length) return "";
  const subject = loading.includes(wanted) ? `${wanted} is loading` : "The models are loading";
  return `${subject}, ${models.length - loading.length} of ${models.length} models are ready`;
}
