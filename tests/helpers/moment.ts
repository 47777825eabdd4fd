/** Between two looks at what cannot say when it changes (a port, a file): a spin would take the processor from the very thing. */
export function moment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
