/** Of this package, as package.json has it. A bundle has no package.json, so it stands here too. */
export const version = '0.1.0';
