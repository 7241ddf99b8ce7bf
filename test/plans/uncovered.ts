/** What no compared case reaches, with the reason; a test finds what is missing here, and what is reached after all. */
export const uncovered: Record<'kinds' | 'methods' | 'enumerators', Record<string, string>> = {
  kinds: {},
  methods: {},
  enumerators: {},
};
