select *{{ ", 'new' as extra" if var('day') > 1 }} from {{ ref('people') }}
