//! A frame over whatever lies below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::symbols::border;
use ratatui::widgets::{Block, Clear, Widget};

use crate::tui::theme::{Role, Theme};

const ASCII: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// The title of a window, with how far its lines are shown where not all of them fit: `Help: Calls  20 of 61`.
pub fn title(name: &str, screen: Rect, lines: u16, top: usize) -> String {
    let shown = screen.height.saturating_sub(2);
    if lines <= shown {
        return name.to_owned();
    }
    format!("{name}  {} of {lines}", (top + usize::from(shown)).min(usize::from(lines)))
}

/// Draws a frame around `width` × `height` cells in the middle of `screen`, as far as there is room. Returns the cells inside.
pub fn draw(buffer: &mut Buffer, screen: Rect, (width, height): (u16, u16), title: &str, theme: &Theme) -> Rect {
    let screen = screen.intersection(buffer.area);
    let outer_width = width.saturating_add(4).min(screen.width);
    let outer_height = height.saturating_add(2).min(screen.height);
    let outer = Rect {
        x: screen.x + (screen.width - outer_width) / 2,
        y: screen.y + (screen.height - outer_height) / 2,
        width: outer_width,
        height: outer_height,
    };
    Clear.render(outer, buffer);
    let set = if theme.ascii { ASCII } else { border::ROUNDED };
    let block = Block::bordered()
        .border_set(set)
        .border_style(theme.style(Role::Dim))
        .title_style(theme.style(Role::Title))
        .title(format!(" {title} "));
    let inner = block.inner(outer);
    block.render(outer, buffer);
    Rect { x: inner.x + 1.min(inner.width), width: inner.width.saturating_sub(2), ..inner }
}
