/** How long a browser may take to begin saving before the page lets go of the data. */
const let_go_ms = 60_000;

/** Has the browser save this under a name, as if it were a download. */
export function saveFile(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, let_go_ms);
}
