/**
 * Puts text on the clipboard and says whether that worked. The clipboard API does not exist on
 * plain http, so the old command is the way that works in the workshop.
 */
export async function copy(content: string): Promise<boolean> {
  try {
    // Typed as always there, but absent without a secure context.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    if (clipboard !== undefined) {
      await clipboard.writeText(content);
      return true;
    }
  } catch {
    // Refused: the old command may still be allowed.
  }
  const holder = document.querySelector('dialog[open]') ?? document.body;
  const area = document.createElement('textarea');
  area.value = content;
  area.readOnly = true;
  area.className = 'visually-hidden';
  holder.append(area);
  area.select();
  // Deprecated, and the only way on plain http.
  const done = document.execCommand('copy');
  area.remove();
  return done;
}
