{# Whether a relation that replaces another keeps the other's grants. #}
{% macro copy_grants() %}
    {% do return(adapter.dispatch('copy_grants', 'dbt')()) %}
{% endmacro %}

{% macro default__copy_grants() %}
    {% do return(true) %}
{% endmacro %}

{# Whether one statement may name several grantees. #}
{% macro support_multiple_grantees_per_dcl_statement() %}
    {% do return(adapter.dispatch('support_multiple_grantees_per_dcl_statement', 'dbt')()) %}
{% endmacro %}

{%- macro default__support_multiple_grantees_per_dcl_statement() -%}
    {%- do return(true) -%}
{%- endmacro -%}

{% macro should_revoke(existing_relation, full_refresh_mode=True) %}
    {% if not existing_relation %}
        {% do return(false) %}
    {% endif %}
    {% do return(copy_grants() if full_refresh_mode else true) %}
{% endmacro %}
