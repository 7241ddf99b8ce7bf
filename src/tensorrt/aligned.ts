/** Where the next weight begins after one of so many bytes. */
export const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;
