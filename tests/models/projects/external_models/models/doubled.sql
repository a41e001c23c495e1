{{ config(materialized='table_function', parameters=['x', 'y']) }}
select x * 2 as twice, y as other
