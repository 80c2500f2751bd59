/** Sends a file to the box and tells how far it is; `fetch` does not tell. Only whoever sends gives up. */
export type SendFile = (
  path: string,
  content: Blob,
  headers: Readonly<Record<string, string>>,
  onprogress: (bytes: number) => void,
) => Promise<Response>;

export const sendFile: SendFile = (path, content, headers, onprogress) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', path);
    request.setRequestHeader('accept', 'application/json');
    request.setRequestHeader('content-type', 'application/octet-stream');
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      onprogress(event.loaded);
    };
    request.onload = () => {
      resolve(new Response(request.responseText, { status: request.status }));
    };
    request.onerror = () => {
      reject(new TypeError('no answer'));
    };
    request.send(content);
  });
