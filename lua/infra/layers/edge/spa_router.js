// CloudFront function (viewer-request, cloudfront-js-2.0) in front of the frontend's bucket. A single-page application
// draws its own pages: every path that names no file is served by index.html, and the browser keeps the path.
// Declared by lua/infra/layers/edge.lua.
function handler(event) {
  var request = event.request;
  var name = request.uri.substring(request.uri.lastIndexOf('/') + 1);
  if (name.indexOf('.') === -1) {
    request.uri = '/index.html';
  }
  return request;
}
