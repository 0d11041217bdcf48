//! A curve in one line of cells.

use crate::tui::theme::Theme;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_BARS: [char; 8] = ['_', '_', '.', '.', '-', '-', '=', '#'];

/// The newest `width` values as bars against the largest of them; zero is an empty cell.
pub fn line(values: &[u32], width: usize, theme: &Theme) -> String {
    let newest = values.get(values.len().saturating_sub(width)..).unwrap_or_default();
    let most = newest.iter().copied().max().unwrap_or(0);
    let bars = if theme.ascii { ASCII_BARS } else { BARS };
    let bar = |value: &u32| match (*value, most) {
        (0, _) | (_, 0) => ' ',
        (value, most) => {
            let step = (u64::from(value) * 8).div_ceil(u64::from(most)).clamp(1, 8) as usize;
            bars.get(step - 1).copied().unwrap_or(' ')
        }
    };
    newest.iter().map(bar).collect()
}

/// The bar of a step, from 0, the least, to 7.
pub fn bar(step: usize, theme: &Theme) -> char {
    let bars = if theme.ascii { ASCII_BARS } else { BARS };
    bars.get(step.min(7)).copied().unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_is_full_and_zero_is_empty() {
        let theme = Theme::default();
        assert_eq!(line(&[9, 0, 1, 4, 8], 4, &theme), " ▁▄█");
        assert_eq!(line(&[], 4, &theme), "");
        assert_eq!(line(&[0, 0], 4, &theme), "  ");
    }
}
