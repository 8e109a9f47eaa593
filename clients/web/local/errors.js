/** What the service in the page refuses, with the status and code that the service on a server gives. */

export class LocalError extends Error {
  status = 422;
  code = "invalid_value";
}

/** A value that is no valid one, or that is not for this page. */
export class InvalidValue extends LocalError {}

export class InvalidImage extends LocalError {
  code = "invalid_image";
}

export class UnsupportedImage extends LocalError {
  status = 415;
  code = "unsupported_image";
}

export class ImageTooLarge extends LocalError {
  status = 413;
  code = "image_too_large";
}

export class NotFound extends LocalError {
  status = 404;
  code = "model_not_found";
}

/** What only a service can do, or a browser that can do more. */
export class Unavailable extends LocalError {
  status = 501;
  code = "not_available";
}
