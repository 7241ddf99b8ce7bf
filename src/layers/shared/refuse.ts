export { refuse, refusing } from '../../errors/refusal.js';
