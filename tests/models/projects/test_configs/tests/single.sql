{{ config(severity='warn', limit=1, sql_header='select 1;' if target.type == 'postgres' else none) }}
select * from {{ ref('rows') }} where id = 2
