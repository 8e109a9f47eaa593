/** The live camera: shows what it sees in the place of the drawing, and takes one photo. */

import { make } from "./dom.js";

/** Resolves to a JPEG file, or to null if there is no camera or nothing was taken; `note` says why. */
export async function takePhoto(paper, note) {
  let stream;
  note.hidden = true;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (error) {
    note.textContent = error.name === "NotAllowedError" ? "The browser may not use the camera: allow it beside the address."
      : "No camera was found. Choose a photo instead.";
    note.hidden = false;
    return null;
  }
  const video = make("video", { srcObject: stream, muted: true, playsInline: true, autoplay: true });
  const take = make("button.main", { type: "button" }, "Take it");
  const cancel = make("button", { type: "button" }, "Cancel");
  const overlay = make("div.camera", video, make("div.tools", take, cancel));
  paper.append(overlay);
  await video.play().catch(() => {});
  take.focus();
  const isTaken = await new Promise((resolve) => {
    take.onclick = () => resolve(true);
    cancel.onclick = () => resolve(false);
    addEventListener("hashchange", () => resolve(false), { once: true }); // the section is left
    if (!paper.clientWidth) resolve(false);
  });
  const blob = isTaken && video.videoWidth ? await snapshot(video) : null;
  for (const track of stream.getTracks()) track.stop();
  overlay.remove();
  return blob && new File([blob], "photo.jpg", { type: "image/jpeg" });
}

function snapshot(video) {
  const canvas = make("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.9); });
}
