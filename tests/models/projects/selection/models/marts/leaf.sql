select id {{ ", no_such_column" if var('failing', false) }} from {{ ref('c') }}
