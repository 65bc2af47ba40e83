// Redoc's footer asks its maker's server for a logo. This page asks nobody but its own server.
// React sets the address of an image twice: as the attribute, then as the property.
"use strict";

const isOurs = (url) => new URL(url, location.href).origin === location.origin;
const property = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");

Object.defineProperty(HTMLImageElement.prototype, "src", {
  ...property,
  set(url) {
    if (isOurs(url)) {
      property.set.call(this, url);
    }
  },
});

HTMLImageElement.prototype.setAttribute = function (name, value) {
  if (name !== "src" || isOurs(value)) {
    Element.prototype.setAttribute.call(this, name, value);
  }
};
